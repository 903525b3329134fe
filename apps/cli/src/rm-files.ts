import { formatSize, type Model, toVisible } from "@cortex/model-db";
import { modelFolders, planRemoval, removeModels, type RemovalPlan } from "@cortex/model-sources";

import { printRemoved, type RmOptions } from "./commands/rm.ts";
import { confirm, requireTerminal } from "./confirm.ts";
import { openExisting, openForWriting } from "./open.ts";
import { writeNote } from "./output/stream.ts";

/** Takes models out of the registry and deletes those of their files that cortex has written, after showing them and asking. */
export async function rmFiles(models: readonly Model[], options: RmOptions): Promise<void> {
  const { yes = false, dryRun = false } = options;
  if (!yes && !dryRun) requireTerminal("rm");
  await using registry = await (dryRun ? openExisting(options) : openForWriting(options));
  const folders = await modelFolders(process.env, registry.location);
  const plan = await planRemoval(registry, folders, models);
  writeNote(describe(plan, dryRun));
  if (!dryRun) {
    if (!yes) await confirm(`Take them out of the registry and free ${formatSize(plan.freedBytes)}?`);
    const { freedBytes, kept } = await removeModels(registry, folders, plan);
    const lines = [
      `Freed ${formatSize(freedBytes)}.`,
      ...kept.map(({ path, why }) => `${path} stays: it ${why}.`),
    ];
    writeNote(lines.map(toVisible).join("\n"));
  }
  printRemoved(models, options);
}

function describe({ models, files, kept, freedBytes }: RemovalPlan, future: boolean): string {
  const lines = [
    future ? "Would go from the registry:" : "Goes from the registry:",
    ...models.map(({ modelId, pinned }) => `  ${modelId}${pinned ? " (pinned)" : ""}`),
    ...(files.length === 0 ? [] : [future ? "Would be deleted:" : "Is deleted:"]),
    ...files.map(({ held }) => `  ${held.path} (${formatSize(held.onDisk?.usedBytes ?? 0)})`),
    ...kept.map(({ path, why }) => `${path} stays: it ${why}.`),
    `Frees ${formatSize(freedBytes)}.`,
  ];
  return lines.map(toVisible).join("\n");
}
