import { formatSize, type Model, MODEL_STATUS, RegistryError, toRecord, toVisible } from "@cortex/model-db";

import { confirm, requireTerminal } from "../confirm.ts";
import type { Everywhere } from "../everywhere.ts";
import { openExisting, openForWriting } from "../open.ts";
import { toListDocument } from "../output/json.ts";
import { writeNote, writeOut } from "../output/stream.ts";

/** What `cortex rm` takes. */
export interface RmOptions extends Everywhere {
  readonly models: readonly string[];
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  /** Also the files that cortex has written. */
  readonly files?: boolean;
}

/** Takes models out of the registry, all of them or none, after showing them and asking. */
export async function rm(options: RmOptions): Promise<void> {
  const found = await find(options);
  if (options.files === true) return (await import("../rm-files.ts")).rmFiles(found, options);
  if (options.yes !== true && options.dryRun !== true) requireTerminal("rm");
  writeNote(describe(found, options.dryRun === true));
  if (options.dryRun !== true) {
    if (options.yes !== true) await confirm("Take them out of the registry?");
    await using registry = await openForWriting(options);
    await registry.transaction(async ({ models }) => {
      for (const { modelId } of found) await models.delete(modelId);
    });
  }
  printRemoved(found, options);
}

/** Says on standard output which models have gone. */
export function printRemoved(models: readonly Model[], { quiet, json }: RmOptions): void {
  if (quiet === true) writeOut(models.map(({ modelId }) => `${toVisible(modelId)}\n`).join(""));
  else if (json === true) writeOut(toListDocument(models.map(toRecord)));
}

async function find(options: RmOptions): Promise<Model[]> {
  const registry = await openExisting(options);
  const byId = new Map<string, Model>();
  for (const name of options.models) {
    const model = await registry.models.resolve(name);
    if (model.status === MODEL_STATUS.RUNNING) {
      throw new RegistryError("model_running", `${model.modelId} is running.`);
    }
    byId.set(model.modelId, model);
  }
  await registry.close();
  return [...byId.values()];
}

function describe(models: readonly Model[], dryRun: boolean): string {
  const lines = models.map(({ modelId, sizeBytes, pinned }) => {
    const facts = [sizeBytes === null ? "" : formatSize(sizeBytes), pinned ? "pinned" : ""].filter(
      (fact) => fact !== "",
    );
    return toVisible(`  ${modelId}${facts.length === 0 ? "" : ` (${facts.join(", ")})`}`);
  });
  const goes = dryRun ? "Would go from the registry" : "Goes from the registry";
  return `${goes}; the files stay, so that no space is freed:\n${lines.join("\n")}`;
}
