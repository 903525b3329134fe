import type { Model, ModelEvent } from "@cortex/model-db";

import type { ToldChange } from "./list-change.ts";

/** What is so when everybody has stopped. */
export interface Aftermath {
  readonly models: ReadonlyMap<string, Model>;
  /** All of the history, in its order. */
  readonly events: readonly ModelEvent[];
  /** What the clock of the history is ahead of the monotonic one, in milliseconds. */
  readonly aheadMs: number;
  /** From when to when there was a bridge at work, by the monotonic clock, in its order. */
  readonly bridged: readonly { readonly from: number; readonly to: number }[];
  /** The ids in the file, in its order. */
  readonly listed: readonly string[];
  readonly aliasesListed: ReadonlyMap<string, string>;
}

/** What was found. */
export interface Verdict {
  /** What breaks a promise of the registry or of the bridge. */
  readonly problems: string[];
  /** Changes that old programs were told are done, and that are so. */
  readonly kept: number;
  /** Those that are not so, because old programs lost them by themselves. */
  readonly ownLosses: number;
}

// How long a line may stand in the file before a bridge that is at work has taken it over.
const TAKEN_OVER_MS = 2000;

/**
 * Compares what everybody was told with what is so. Each model is changed by one program only, so that
 * its last change is known.
 */
export function judge(
  aftermath: Aftermath,
  ours: readonly ToldChange[],
  theirs: readonly ToldChange[],
): Verdict {
  const { models, events, listed, aliasesListed } = aftermath;
  const problems: string[] = [];
  for (const [modelId, changes] of byModel(ours)) {
    const why = differenceOf(models.get(modelId), changes);
    if (why !== undefined) problems.push(`ours: ${modelId} ${why}`);
  }
  let [kept, ownLosses] = [0, 0];
  for (const [modelId, changes] of byModel(theirs)) {
    const why = differenceOf(models.get(modelId), changes);
    if (why === undefined) kept++;
    else if (isOwnLoss(changes, theirs, aftermath)) ownLosses++;
    else problems.push(`theirs: ${modelId} ${why}`);
  }
  const tried = new Set(theirs.map(({ kind, modelId }) => `${kind} ${modelId}`));
  for (const { eventId, actor, kind, modelId } of events) {
    // What was once taken over goes only when its own program deletes it.
    if (actor === "legacy" && kind === "deleted" && !tried.has(`delete ${modelId}`)) {
      problems.push(`bridge: ${modelId} was deleted, and nobody meant it (event ${eventId})`);
    }
  }
  for (const { modelId, alias } of models.values()) {
    if (!aliasesListed.has(modelId)) problems.push(`file: ${modelId} is not in it`);
    else if (aliasesListed.get(modelId) !== (alias ?? modelId))
      problems.push(`file: ${modelId} has another alias`);
  }
  for (const modelId of listed) if (!models.has(modelId)) problems.push(`file: ${modelId} is not registered`);
  return { problems, kept, ownLosses };
}

/** How many models are in a list as their programs were told, and how many are not. */
export function keptIn(
  entries: readonly { readonly id: string; readonly alias: string }[],
  told: readonly ToldChange[],
): { kept: number; lost: number } {
  const listed = new Map(entries.map(({ id, alias }) => [id, { alias }]));
  const all = [...byModel(told.filter(({ done }) => done !== false))];
  const lost = all.filter(([modelId, changes]) => differenceOf(listed.get(modelId), changes) !== undefined);
  return { kept: all.length - lost.length, lost: lost.length };
}

// What was refused has changed nothing, except for a deletion that has taken the YAML.
function byModel(changes: readonly ToldChange[]): Map<string, ToldChange[]> {
  const found = new Map<string, ToldChange[]>();
  for (const change of changes) {
    if (change.done === false && change.hasTakenYaml !== true) continue;
    found.set(change.modelId, [...(found.get(change.modelId) ?? []), change]);
  }
  return found;
}

// What is not as the last change that was done says; one behind it, cut off or refused, may have been done.
function differenceOf(
  model: Pick<Model, "alias"> | undefined,
  changes: readonly ToldChange[],
): string | undefined {
  const possible = possibleOf(changes);
  const last = possible[0];
  if (last === undefined) return undefined;
  const isThere = model !== undefined;
  if (possible.some(({ kind, alias }) => (kind === "delete" ? !isThere : model?.alias === alias)))
    return undefined;
  return last.kind === "delete"
    ? "is there, and was deleted"
    : `has not the alias ${last.alias}: ${model?.alias}`;
}

// The last change that was done, and those behind it that may have been.
function possibleOf(changes: readonly ToldChange[]): readonly ToldChange[] {
  const last = changes.findLastIndex(({ done }) => done === true);
  return last === -1 ? [] : changes.slice(last);
}

/**
 * Whether old programs can have lost the last change without the bridge: until it was taken over, two of them were
 * at the file at once, or one was killed in the middle of a write.
 */
function isOwnLoss(
  changes: readonly ToldChange[],
  all: readonly ToldChange[],
  aftermath: Aftermath,
): boolean {
  return possibleOf(changes).some((change) => {
    const until = takenOverAt(change, aftermath);
    const near = all.filter((other) => other.endedAt >= change.beganAt && other.beganAt <= until);
    return near.some(
      (one) =>
        one.done === undefined ||
        near.some(
          (other) =>
            other.program !== one.program && other.beganAt < one.endedAt && one.beganAt < other.endedAt,
        ),
    );
  });
}

// When a change was in the history, or had to be: from then on nobody but the bridge can have lost it.
function takenOverAt(
  { modelId, kind, alias, beganAt, endedAt }: ToldChange,
  { events, aheadMs, bridged }: Aftermath,
): number {
  const event = events.find(
    ({ at, actor, modelId: id, kind: what, after }) =>
      actor === "legacy" &&
      id === modelId &&
      what === EVENT_KINDS[kind] &&
      (kind !== "alias" || after?.["alias"] === alias) &&
      // The history counts whole milliseconds.
      at + 1 - aheadMs >= beganAt,
  );
  if (event !== undefined) return Math.max(endedAt, event.at + 1 - aheadMs);
  const run = bridged.find(({ from, to }) => to - Math.max(from, endedAt) >= TAKEN_OVER_MS);
  return run === undefined ? Infinity : Math.max(run.from, endedAt) + TAKEN_OVER_MS;
}

const EVENT_KINDS = { add: "created", alias: "aliased", delete: "deleted" } as const;
