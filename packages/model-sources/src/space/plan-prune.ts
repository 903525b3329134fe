import { MODEL_STATUS, type Registry } from "@cortex/model-db";

import type { ModelsFolder } from "../folders/models-folder.ts";
import { Holdings, type GoingFile } from "./holdings.ts";
import { inventory, type HeldFile, type HeldModel } from "./inventory.ts";
import { orphanedPartials } from "./orphaned-partials.ts";
import type { PartialFile } from "./partial-files.ts";
import { whyNotOurs } from "./written-by-us.ts";

/** What may go. Where nothing is asked for: what was fetched in vain, and superseded revisions. */
export interface PruneOptions {
  /** What was fetched in vain: partial files that no transfer goes on with, and what an interrupted prune has left. */
  readonly partials?: boolean | undefined;
  /** Models in whose place another revision has come, once that is here and verified. */
  readonly superseded?: boolean | undefined;
  /** Models that were not used, fetched or registered since: Unix milliseconds. */
  readonly unusedSince?: number | undefined;
  /**
   * Until what we have written takes no more than this: first what was fetched in vain and what is superseded, then
   * the models that were used longest ago; with `unusedSince` only those.
   */
  readonly toBytes?: number | undefined;
}

/** A model whose files go. */
export interface GoingModel {
  readonly modelId: string;
  readonly reason: "superseded" | "unused" | "over_budget";
  /** When it was last used, fetched or registered: Unix milliseconds. */
  readonly usedAt: number;
  readonly files: readonly GoingFile[];
}

/** What pruning would delete. */
export interface PrunePlan {
  readonly partials: readonly PartialFile[];
  /** Files of models that are not meant to be here: an interrupted prune has left them. */
  readonly leftovers: readonly GoingFile[];
  readonly models: readonly GoingModel[];
  /** Models that, or whose partial files, would go by what is asked for, and why they do not. */
  readonly kept: readonly { readonly modelId: string; readonly why: string }[];
  readonly freedBytes: number;
  /** What is left then of what we have written and could delete. */
  readonly leftBytes: number;
}

const REASONS: readonly GoingModel["reason"][] = ["superseded", "unused", "over_budget"];

/**
 * Looks for what can be deleted. Never chosen are pinned models, those that run, those that are being fetched, and
 * those with a file that could not be fetched again. Nothing is changed.
 */
export async function planPrune(
  registry: Registry,
  folders: readonly ModelsFolder[],
  options: PruneOptions = {},
): Promise<PrunePlan> {
  const { toBytes, ...classes } = options;
  const isBare = Object.values(options).every((value) => value === undefined || value === false);
  const takesRemains = isBare || toBytes !== undefined;

  const all = await Array.fromAsync(inventory(registry, registry.location, folders));
  const { orphans, fetching, resting } = await orphanedPartials(registry, folders);
  const here = all.filter(({ model }) => model.availability !== "downloadable");
  const away = all.filter(({ model }) => model.availability === "downloadable");

  const takesPartials = takesRemains || classes.partials === true;
  const partials = takesPartials ? orphans : [];
  const leftovers = takesPartials ? leftoversOf(away, here, fetching) : [];

  const holdings = new Holdings(here);
  let leftBytes = holdings.oursBytes + usedBytes(orphans) - usedBytes(partials);
  const kept: { modelId: string; why: string }[] = [];
  for (const { modelId, transferId, state } of takesPartials ? resting : []) {
    const why = `its transfer is ${state}, and \`cortex transfer cancel ${transferId}\` deletes what it has fetched`;
    kept.push({ modelId, why });
  }
  const chosen: GoingModel[] = [];
  const superseded = takesRemains || classes.superseded === true ? supersededIn(here) : new Set<string>();
  for (const { held, reason } of inOrder(here, superseded, options)) {
    if (reason !== "superseded" && toBytes !== undefined && leftBytes <= toBytes) break;
    const { modelId } = held.model;
    const why = whyKept(held, fetching);
    if (why !== undefined) {
      if (!kept.some((one) => one.modelId === modelId)) kept.push({ modelId, why });
      continue;
    }
    const files = holdings.letGo(modelId);
    leftBytes -= freedBytes(files);
    chosen.push({ modelId, reason, usedAt: usedAt(held), files });
  }

  const models = withGain(chosen, here);
  const gone = new Set(models.map(({ modelId }) => modelId));
  for (const { modelId } of chosen) {
    if (!gone.has(modelId))
      kept.push({ modelId, why: "its files are also others', so that nothing would be freed" });
  }
  const goingFiles = [...leftovers, ...models.flatMap(({ files }) => files)];
  return {
    partials,
    leftovers,
    models,
    kept,
    freedBytes: usedBytes(partials) + freedBytes(goingFiles),
    leftBytes,
  };
}

/** When a model was last used, fetched or registered. */
function usedAt({ model, files }: HeldModel): number {
  // What was fetched anew is in use, though its record is old.
  const weights = files.filter(({ file }) => file.role === "weights" && file.source !== null);
  const written = weights.map(({ onDisk }) => onDisk?.writtenAt ?? 0);
  return Math.max(model.lastUsedAt ?? 0, model.createdAt, ...written);
}

/** The models that may go by what is asked for, the first to go first. */
function inOrder(
  here: readonly HeldModel[],
  superseded: ReadonlySet<string>,
  { unusedSince, toBytes }: PruneOptions,
): { held: HeldModel; reason: GoingModel["reason"] }[] {
  const reasonOf = (held: HeldModel): GoingModel["reason"] | undefined => {
    if (superseded.has(held.model.modelId)) return "superseded";
    if (unusedSince !== undefined) return usedAt(held) < unusedSince ? "unused" : undefined;
    return toBytes === undefined ? undefined : "over_budget";
  };
  return here
    .flatMap((held) => {
      const reason = held.files.some((one) => whyNotOurs(one) === undefined) ? reasonOf(held) : undefined;
      return reason === undefined ? [] : [{ held, reason, at: usedAt(held) }];
    })
    .toSorted((a, b) => REASONS.indexOf(a.reason) - REASONS.indexOf(b.reason) || a.at - b.at);
}

/** The models in whose place another has come that is whole. */
function supersededIn(here: readonly HeldModel[]): ReadonlySet<string> {
  const verified = new Set(
    here
      .filter(({ model, files }) => model.availability === "present" && files.every(isVerified))
      .map(({ model }) => model.modelId),
  );
  const superseded = here.filter(({ model }) => {
    const successor = model.metadata["superseded_by"];
    return typeof successor === "string" && successor !== model.modelId && verified.has(successor);
  });
  return new Set(superseded.map(({ model }) => model.modelId));
}

function isVerified({ file, onDisk }: HeldFile): boolean {
  return onDisk !== undefined && (file.sha256 === null || file.verifiedAt !== null);
}

function whyKept({ model, files }: HeldModel, fetching: ReadonlySet<string>): string | undefined {
  if (model.pinned) return "it is pinned";
  if (model.status === MODEL_STATUS.RUNNING) return "it is running";
  if (fetching.has(model.modelId)) return "it is being fetched";
  for (const held of files) {
    const { file, path, onDisk } = held;
    if (onDisk === undefined) continue;
    const why = whyNotOurs(held);
    if (why !== undefined && file.role === "weights") return `${path} ${why}`;
    if (why === undefined && !/^https?:/.test(file.source!)) return `${path} could not be fetched again`;
  }
  return undefined;
}

/** What is still there of models that are not meant to be here, and that nobody else has. */
function leftoversOf(
  away: readonly HeldModel[],
  here: readonly HeldModel[],
  fetching: ReadonlySet<string>,
): GoingFile[] {
  const holdings = new Holdings([...here, ...away]);
  return away
    .filter((held) => whyKept(held, fetching) === undefined)
    .flatMap(({ model }) => holdings.letGo(model.modelId));
}

/** Those of the models that it frees something to delete. */
function withGain(chosen: readonly GoingModel[], here: readonly HeldModel[]): GoingModel[] {
  const freed = new Set(
    chosen.flatMap(({ files }) => files.filter((file) => file.freedBytes > 0).map(contentOf)),
  );
  const contents = new Map(
    here.map(({ model, files }) => [model.modelId, files.map(({ onDisk }) => onDisk?.contentId)]),
  );
  const gains = chosen.filter(({ modelId }) =>
    contents.get(modelId)!.some((contentId) => contentId !== undefined && freed.has(contentId)),
  );
  const going = new Set(gains.map(({ modelId }) => modelId));
  return gains.map((model) => ({
    ...model,
    files: model.files.filter(({ holders }) => holders.every((holder) => going.has(holder))),
  }));
}

function contentOf({ held }: GoingFile): string {
  return held.onDisk!.contentId;
}

function freedBytes(files: readonly GoingFile[]): number {
  return files.reduce((sum, file) => sum + file.freedBytes, 0);
}

function usedBytes(partials: readonly PartialFile[]): number {
  return partials.reduce((sum, { onDisk }) => sum + onDisk.usedBytes, 0);
}
