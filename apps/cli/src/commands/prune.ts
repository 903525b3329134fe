import { formatSize, toVisible } from "@cortex/model-db";
import {
  modelFolders,
  planPrune,
  prune as deletePlanned,
  type PrunePlan,
  type PruneReport,
} from "@cortex/model-sources";

import { confirm, requireTerminal } from "../confirm.ts";
import { Interrupted, MisuseError } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { untilInterrupted } from "../interrupt.ts";
import { openExisting, openForWriting } from "../open.ts";
import { toDocument } from "../output/json.ts";
import { writeNote, writeOut } from "../output/stream.ts";
import { formatRelative } from "../output/time.ts";

/** What `cortex prune` takes. */
export interface PruneVerbOptions extends Everywhere {
  readonly partials?: boolean;
  readonly superseded?: boolean;
  /** Unix milliseconds. */
  readonly unusedSince?: number;
  /** Bytes. */
  readonly to?: number | null;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/**
 * Deletes files that are not needed, after showing them and asking.
 * @returns 1 where a budget is not reached, or something that was shown could not go
 */
export async function prune(options: PruneVerbOptions): Promise<number> {
  const {
    partials,
    superseded,
    unusedSince,
    to: toBytes,
    yes = false,
    dryRun = false,
    json = false,
  } = options;
  if (toBytes === null) throw new MisuseError("--to needs a size such as 200GB.");
  await using registry = await (dryRun ? openExisting(options) : openForWriting(options));
  const folders = await modelFolders(process.env, registry.location);
  const plan = await planPrune(registry, folders, { partials, superseded, unusedSince, toBytes });
  const isOverBudget = toBytes !== undefined && plan.leftBytes > toBytes;
  const overBudget = isOverBudget ? `\nThat is more than ${formatSize(toBytes)}: nothing else may go.` : "";
  if (countOf(plan) === 0 || dryRun) {
    print(plan, undefined, options);
    if (!json) writeNote(`${describe(plan, true)}${overBudget}`);
    return isOverBudget ? 1 : 0;
  }
  if (!yes) requireTerminal("prune");
  if (!json) writeNote(`${describe(plan, false)}${overBudget}`);
  if (!yes) await confirm(`Free ${formatSize(plan.freedBytes)}?`);
  const report = await run(registry, folders, plan);
  print(plan, report, options);
  if (!json) writeNote(outcome(report));
  return isOverBudget || report.kept.length + report.keptModels.length > 0 ? 1 : 0;
}

async function run(
  ...[registry, folders, plan]: [...Parameters<typeof deletePlanned>]
): Promise<PruneReport> {
  const signal = untilInterrupted();
  try {
    return await deletePlanned(registry, folders, plan, signal);
  } catch (error) {
    if (signal.aborted) throw new Interrupted();
    throw error;
  }
}

function countOf({ partials, leftovers, models }: PrunePlan): number {
  return partials.length + leftovers.length + models.length;
}

const REASONS = { superseded: "superseded", unused: "unused", over_budget: "over the budget" } as const;

function describe(plan: PrunePlan, future: boolean): string {
  const { partials, leftovers, models, kept, freedBytes, leftBytes } = plan;
  const lines = [
    ...partials.map(({ path, onDisk }) => `  ${path} (${formatSize(onDisk.usedBytes)}, not whole)`),
    ...leftovers.map((file) => `  ${file.held.path} (${formatSize(file.freedBytes)}, left over)`),
    ...models.map(({ modelId, reason, usedAt, files }) => {
      const freed = files.reduce((sum, file) => sum + file.freedBytes, 0);
      return `  ${modelId} (${formatSize(freed)}, ${REASONS[reason]}, last used ${formatRelative(usedAt)})`;
    }),
  ];
  const parts = [];
  if (lines.length > 0) {
    const again = models.length > 0 ? "; the models stay in the registry and can be fetched again" : "";
    parts.push(`${future ? "Would be deleted" : "Is deleted"}${again}:`, ...lines);
    parts.push(`Frees ${formatSize(freedBytes)}; ${formatSize(leftBytes)} of fetched models stay.`);
  } else {
    parts.push(`Nothing is to be deleted; fetched models take ${formatSize(leftBytes)}.`);
  }
  parts.push(...kept.map(({ modelId, why }) => `${modelId} stays: ${why}.`));
  return parts.map(toVisible).join("\n");
}

function outcome({ freedBytes, kept, keptModels }: PruneReport): string {
  const lines = [
    `Freed ${formatSize(freedBytes)}.`,
    ...keptModels.map(({ modelId, why }) => `${modelId} stays: ${why}.`),
    ...kept.map(({ path, why }) => `${path} stays: it ${why}.`),
  ];
  return lines.map(toVisible).join("\n");
}

/** Says on standard output what goes or has gone: the ids of models, or all as JSON. */
function print(plan: PrunePlan, report: PruneReport | undefined, { json, quiet }: Everywhere): void {
  if (quiet === true) {
    const ids = report?.modelIds ?? plan.models.map(({ modelId }) => modelId);
    writeOut(ids.map((modelId) => `${toVisible(modelId)}\n`).join(""));
  } else if (json === true) {
    writeOut(
      toDocument({
        dry_run: report === undefined,
        freed_bytes: report?.freedBytes ?? plan.freedBytes,
        left_bytes: plan.leftBytes,
        partials: plan.partials.map(({ path, onDisk }) => ({ path, freed_bytes: onDisk.usedBytes })),
        leftovers: plan.leftovers.map(toFileRecord),
        models: plan.models.map(({ modelId, reason, usedAt, files }) => ({
          model_id: modelId,
          reason,
          used_at: usedAt,
          files: files.map(toFileRecord),
        })),
        kept: [...plan.kept, ...(report?.keptModels ?? [])].map(({ modelId, why }) => ({
          model_id: modelId,
          why,
        })),
        kept_files: report?.kept ?? [],
      }),
    );
  }
}

function toFileRecord({ held, freedBytes }: PrunePlan["leftovers"][number]): object {
  return { path: held.path, freed_bytes: freedBytes };
}
