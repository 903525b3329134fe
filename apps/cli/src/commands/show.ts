import { toRecord, toVisible, type Model, type ModelFile, type Registry, type Run } from "@cortex/model-db";

import type { Everywhere } from "../everywhere.ts";
import { openExisting } from "../open.ts";
import { painter, type Paint } from "../output/color.ts";
import { toFields } from "../output/fields.ts";
import { toDocument, toListDocument } from "../output/json.ts";
import { modelFields } from "../output/model-fields.ts";
import { formatSize } from "../output/size.ts";
import { writeNote, writeOut } from "../output/stream.ts";
import { formatRelative } from "../output/time.ts";
import { resolveBeginning } from "../resolve-model.ts";

/** Prints all that is known about models. A name may be shortened to a beginning that only one model has. */
export async function show(options: Everywhere & { readonly models: readonly string[] }): Promise<void> {
  const registry = await openExisting(options);
  const found: Model[] = [];
  for (const name of options.models) {
    const { model, short } = await resolveBeginning(registry.models, name);
    if (short) writeNote(toVisible(`${name} is short for ${model.modelId}`));
    found.push(model);
  }
  writeOut(await render(registry, found, options));
  await registry.close();
}

async function render(registry: Registry, models: readonly Model[], options: Everywhere): Promise<string> {
  if (options.quiet === true) return models.map(({ modelId }) => `${toVisible(modelId)}\n`).join("");
  if (options.json === true) {
    return models.length === 1 ? toDocument(toRecord(models[0]!)) : toListDocument(models.map(toRecord));
  }
  const paint = painter(1, options.color);
  const blocks: string[] = [];
  for (const model of models) {
    const files = await registry.files.list(model.modelId);
    const runs = await registry.runs.list({ name: model.modelId });
    blocks.push(describe(model, files, runs, paint));
  }
  return blocks.join("\n");
}

function describe(model: Model, files: readonly ModelFile[], runs: readonly Run[], paint: Paint): string {
  return toFields(
    [
      ...modelFields(model),
      ["files", lines(files.map(describeFile))],
      ["runs", lines(runs.map(describeRun))],
    ],
    paint,
  );
}

function lines(texts: readonly string[]): string {
  return texts.map(toVisible).join("\n");
}

function describeFile({ path, role, sizeBytes }: ModelFile): string {
  return `${path} (${sizeBytes === null ? role : `${role}, ${formatSize(sizeBytes)}`})`;
}

function describeRun({ holder, node, pid, endpoint, token, expiresAt }: Run): string {
  const where = [pid === null ? node : `${node}, process ${pid}`, endpoint]
    .filter((text) => text !== null)
    .join(", ");
  return `${holder} on ${where}; token ${token}, until ${formatRelative(expiresAt)}`;
}
