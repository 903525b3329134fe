import {
  formatSize,
  toRecord,
  toVisible,
  type Model,
  type ModelFile,
  type Registry,
  type Run,
} from "@cortex/model-db";

import { MisuseError } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { openExisting } from "../open.ts";
import { painter, type Paint } from "../output/color.ts";
import { toFields } from "../output/fields.ts";
import { toDocument, toListDocument } from "../output/json.ts";
import { modelFields } from "../output/model-fields.ts";
import { writeNote, writeOut } from "../output/stream.ts";
import { formatRelative } from "../output/time.ts";
import { resolveBeginning } from "../resolve-model.ts";

const MAX_CONTEXT_LENGTH = 1_000_000_000;

/** What `cortex show` takes. */
export interface ShowOptions extends Everywhere {
  readonly models: readonly string[];
  readonly fit?: boolean;
  /** Tokens. */
  readonly contextLength?: number | null;
}

/** Prints all that is known about models. A name may be shortened to a beginning that only one model has. */
export async function show(options: ShowOptions): Promise<void> {
  checkContextLength(options);
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

function checkContextLength({ fit, contextLength }: ShowOptions): void {
  if (contextLength === undefined) return;
  if (fit !== true) throw new MisuseError("--context-length belongs to --fit.");
  if (contextLength === null || contextLength < 1 || contextLength > MAX_CONTEXT_LENGTH) {
    throw new MisuseError(`--context-length needs a whole number from 1 to ${MAX_CONTEXT_LENGTH}.`);
  }
}

async function render(registry: Registry, models: readonly Model[], options: ShowOptions): Promise<string> {
  if (options.quiet === true) return models.map(({ modelId }) => `${toVisible(modelId)}\n`).join("");
  const fits = options.fit === true ? await import("../fit.ts") : undefined;
  const contextLength = options.contextLength ?? undefined;
  if (options.json === true) {
    const records: object[] = [];
    for (const model of models) {
      const fit = fits && { fit: fits.toFitRecord(await fits.fitOf(registry, model, contextLength)) };
      records.push({ ...toRecord(model), ...fit });
    }
    return records.length === 1 ? toDocument(records[0]!) : toListDocument(records);
  }
  const paint = painter(1, options.color);
  const blocks: string[] = [];
  for (const model of models) {
    const files = await registry.files.list(model.modelId);
    const runs = await registry.runs.list({ name: model.modelId });
    const fit = fits && fits.describeFit(await fits.fitOf(registry, model, contextLength));
    blocks.push(describe(model, files, runs, fit ?? [], paint));
  }
  return blocks.join("\n");
}

function describe(
  model: Model,
  files: readonly ModelFile[],
  runs: readonly Run[],
  fit: readonly [name: string, value: string][],
  paint: Paint,
): string {
  return toFields(
    [
      ...modelFields(model),
      ["files", lines(files.map(describeFile))],
      ["runs", lines(runs.map(describeRun))],
      ...fit,
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
