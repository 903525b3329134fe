import { MODEL_STATUS, type Model } from "@cortex/model-db";

import { chooseBase, type Base } from "./choose-base.ts";
import {
  formatRow,
  LIST_FIELDS,
  toListRow,
  UNKNOWN_WORD,
  wordsOf,
  type ListField,
  type ListRow,
} from "./list-row.ts";
import type { ListText, NumberedLine } from "./list-text.ts";
import type { RegisteredModels } from "./registered-models.ts";

/** `there`; `gone`, but it was there; `unknown` where it may never have been. */
export type ConfigState = "there" | "gone" | "unknown";

/** All that a merge depends on. */
export interface MergeInput {
  /** What the file held and holds as far as we know, oldest first; none before the first merge. */
  readonly bases: readonly Base[];
  readonly theirs: ListText;
  /** Whether the file took the place of ours as a whole, instead of being rewritten in place. */
  readonly isReplaced: boolean;
  readonly ours: RegisteredModels;
  /** Where the YAML of a model is: the old program removes it before the line. */
  readonly configOf: (model: Model) => ConfigState;
  /** Ids whose lines were missing already when the file was looked at before. */
  readonly missing: ReadonlySet<string>;
  /** Whether the line of an id has been missing for long enough. */
  readonly isSettled: (modelId: string) => boolean;
}

/** A line that is gone, and the model that is to go with it. */
export interface Deletion {
  /** As the file spells it. */
  readonly modelId: string;
  readonly model: Model;
  /** The version of the file that had it. */
  readonly base: Base;
}

/** What a foreign write changed in a line. */
export interface Update {
  readonly modelId: string;
  readonly model: Model;
  readonly fields: Partial<Record<ListField, string>>;
}

/** What a foreign write wanted and did not get. */
export interface Conflict {
  readonly modelId: string;
  readonly why: string;
}

/** What a foreign write means for the registry and for the file. */
export interface Merge {
  readonly deletions: readonly Deletion[];
  readonly updates: readonly Update[];
  /** Lines of models that the file did not have before. */
  readonly additions: readonly NumberedLine[];
  readonly conflicts: readonly Conflict[];
  /** Ids whose lines are gone, which is not taken for a deletion: they come back. */
  readonly kept: readonly string[];
  /** Ids whose lines will be taken for deleted if they stay away. */
  readonly pending: readonly string[];
  /** Why the file is not taken at its word about what is gone; `undefined` where it is. */
  readonly distrust: string | undefined;
  /** The ids of the file's lines, in the order in which they are to be. */
  readonly order: readonly string[];
}

const MAX_EDITED = 8;

/**
 * Merges what another program wrote into the file: from the version that it started from, to what it
 * wrote, to what the registry holds now. Reads and changes nothing. Conflicts are decided for the registry.
 *
 * A line that is gone counts as deleted only in the clear case:
 * - a line whose model had its files, and whose YAML is gone now, was deleted: the old program removes the
 *   YAML first. That says enough in a file that is torn, too, while a line of ours is left in it: programs
 *   write back what others tore, again and again. For the same reason a line whose YAML is there was not
 *   deleted: two programs that write at once, of which one dies, can leave a file that is whole but for some
 *   lines;
 * - where there never was a YAML, a line that is gone counts when the file is whole, well-formed to its last
 *   byte; when a later line is there, since a crash leaves the beginning of a file, and so does a program
 *   that knows an older version; and when it went alone, since the old program deletes one at a time: one
 *   that reads while others write drops what is torn.
 * A file that was replaced as a whole was not cut short by anybody: there the YAML and later lines do not
 * matter, the number does (eight, or half of the file), and that a line of ours is left.
 *
 * Everything else comes back.
 */
export function mergeLists(input: MergeInput): Merge {
  const { theirs, ours } = input;
  const none: Base = { rows: [], eventId: 0 };
  const bases = input.bases.length === 0 ? [none] : input.bases;
  const rows = theirs.rows.map(({ row }) => row);
  const base = chooseBase(bases, rows);
  const inBase = new Map(base.rows.map((row) => [row.modelId, row]));
  const known = idsBySign(bases.at(-1)!);
  const present = new Set<string>();
  const updates: Update[] = [];
  const conflicts: Conflict[] = [];
  const additions: NumberedLine[] = [];
  const order: string[] = [];
  let distrust = theirs.damage;

  for (const { line, text, row } of theirs.rows) {
    const { modelId } = row;
    if (isPieceOf(known.get(signOf(row)), row)) {
      distrust ??= `line ${line} is a piece of another one`;
      continue;
    }
    const before = inBase.get(modelId);
    if (before === undefined) {
      const model = ours.find(modelId);
      if (model === undefined || formatRow(toListRow(model, modelId)) !== formatRow(row)) {
        additions.push({ line, text });
      }
    } else if (!present.has(modelId)) {
      mergeFields(before, row, ours.find(modelId), updates, conflicts);
    }
    if (!present.has(modelId)) order.push(modelId);
    present.add(modelId);
  }
  for (const { line, text, isWhole } of theirs.others) {
    const modelId = wordsOf(text)[0]!;
    const isKnown = inBase.has(modelId) || ours.find(modelId) !== undefined;
    // When they meet for the first time, the reader of old files puts together what it can.
    if (input.bases.length === 0 || (isWhole && !isKnown)) additions.push({ line, text });
    else distrust ??= `line ${line} is not whole`;
    // It may be the model's line with another one behind: no sign that the model went.
    if (isKnown) present.add(modelId);
  }
  additions.sort((one, other) => one.line - other.line);

  const gone = mergeLosses(input, bases, base, present, distrust);
  return {
    deletions: gone.deletions,
    updates,
    additions,
    conflicts: [...conflicts, ...gone.conflicts],
    kept: gone.kept,
    pending: gone.pending,
    distrust: gone.distrust,
    order: withLosses(order, base.rows, present),
  };
}

/**
 * The versions of the file as they would have been with what a merge took over: a program that writes is
 * taken to know what its like wrote before, so that versions differ by our changes alone.
 */
export function rebase(
  bases: readonly Base[],
  { deletions, updates }: Pick<Merge, "deletions" | "updates">,
  added: readonly ListRow[],
): readonly Base[] {
  const deleted = new Set(deletions.map(({ modelId }) => modelId));
  const changed = new Map(updates.map(({ modelId, fields }) => [modelId, fields]));
  if (deleted.size + changed.size + added.length === 0) return bases;
  return bases.map(({ rows, eventId }) => {
    const ids = new Set(rows.map(({ modelId }) => modelId));
    const kept = rows
      .filter(({ modelId }) => !deleted.has(modelId))
      .map((row) => {
        const fields = changed.get(row.modelId);
        return fields === undefined ? row : { ...row, ...fields };
      });
    return { rows: [...kept, ...added.filter(({ modelId }) => !ids.has(modelId))], eventId };
  });
}

function mergeFields(
  before: ListRow,
  after: ListRow,
  model: Model | undefined,
  updates: Update[],
  conflicts: Conflict[],
): void {
  if (formatRow(before) === formatRow(after)) return;
  const { modelId } = after;
  if (model === undefined) {
    conflicts.push({ modelId, why: "it was deleted from the registry, and changed in the file" });
    return;
  }
  const now = toListRow(model, modelId);
  const fields: Partial<Record<ListField, string>> = {};
  for (const field of LIST_FIELDS) {
    if (after[field] === before[field] || after[field] === now[field]) continue;
    if (now[field] === before[field]) fields[field] = after[field];
    else {
      const why = `its ${NAMES[field]} is "${now[field]}" in the registry, and was changed to "${after[field]}" in the file`;
      conflicts.push({ modelId, why });
    }
  }
  if (after.status !== before.status && after.status !== now.status) {
    conflicts.push({ modelId, why: `it is ${now.status}, and the file says ${after.status}` });
  }
  if (Object.keys(fields).length > 0) updates.push({ modelId, model, fields });
}

const NAMES: Readonly<Record<ListField, string>> = {
  author: "author",
  branch: "branch",
  configPath: "path",
  alias: "alias",
};

interface Loss {
  readonly row: ListRow;
  readonly model: Model;
  readonly base: Base;
  /** Whether no later line is there. */
  readonly isLast: boolean;
  readonly config: ConfigState;
}

type Losses = Pick<Merge, "deletions" | "conflicts" | "kept" | "pending" | "distrust">;

function mergeLosses(
  { ours, isReplaced, configOf, missing, isSettled }: MergeInput,
  bases: readonly Base[],
  base: Base,
  present: ReadonlySet<string>,
  distrusted: string | undefined,
): Losses {
  const deletions: Deletion[] = [];
  const conflicts: Conflict[] = [];
  const kept: string[] = [];
  const pending: string[] = [];
  const lastThere = base.rows.findLastIndex(({ modelId }) => present.has(modelId));
  const losses: Loss[] = base.rows.flatMap((row, index) => {
    const model = present.has(row.modelId) ? undefined : ours.find(row.modelId);
    return model === undefined
      ? []
      : [
          {
            row,
            model,
            base,
            isLast: index > lastThere && (!isReplaced || lastThere === -1),
            config: configOf(model),
          },
        ];
  });
  const isLeft = ({ config }: Loss): boolean => config === "there" && !isReplaced;
  const vanished = losses.filter((loss) => loss.config !== "gone" && !loss.isLast && !isLeft(loss));
  const atOnce = vanished.filter(({ row }) => !missing.has(row.modelId)).length;
  const isPlausible = atOnce <= (isReplaced ? Math.max(1, Math.min(MAX_EDITED, base.rows.length / 2)) : 1);
  const endCounts = losses.every(({ isLast, config }) => !isLast || config === "gone");
  let distrust = distrusted;
  if (!endCounts) distrust ??= "its end is missing, as after a crash";
  else if (!isPlausible) distrust ??= `${atOnce.toLocaleString("en")} lines are gone at once`;
  else if (losses.some(isLeft)) distrust ??= "the YAML of a line that is gone is still there";

  // What we wrote since, and is gone with its YAML, was seen before it was deleted.
  const newest = bases.at(-1)!;
  const ids = new Set(base.rows.map(({ modelId }) => modelId));
  for (const row of newest.rows) {
    if (ids.has(row.modelId) || present.has(row.modelId)) continue;
    const model = ours.find(row.modelId);
    if (model === undefined || configOf(model) !== "gone") continue;
    losses.push({ row, model, base: newest, isLast: true, config: "gone" });
  }

  for (const loss of losses) {
    const { row, model, base: from, isLast, config } = loss;
    const { modelId } = row;
    const isDeleted =
      config === "gone"
        ? distrusted === undefined || lastThere !== -1
        : distrusted === undefined && isPlausible && !isLeft(loss) && (!isLast || endCounts);
    if (!isDeleted) kept.push(modelId);
    else if (model.status === MODEL_STATUS.RUNNING) {
      conflicts.push({ modelId, why: "it is running, and was deleted from the file" });
    } else if (formatRow(toListRow(model, modelId)) !== formatRow({ ...row, status: "READY" })) {
      conflicts.push({ modelId, why: "it was changed in the registry, and deleted from the file" });
    } else if (isSettled(modelId)) deletions.push({ modelId, model, base: from });
    else pending.push(modelId);
  }
  return { deletions, conflicts, kept, pending, distrust };
}

// Lines that are gone stand where they stood: behind the one that was before them.
function withLosses(
  order: readonly string[],
  base: readonly ListRow[],
  present: ReadonlySet<string>,
): string[] {
  const behind = new Map<string, string[]>();
  let before = "";
  for (const { modelId } of base) {
    if (present.has(modelId)) before = modelId;
    else behind.set(before, [...(behind.get(before) ?? []), modelId]);
  }
  return [
    ...(behind.get("") ?? []),
    ...order.flatMap((modelId) => [modelId, ...(behind.get(modelId) ?? [])]),
  ];
}

// What two lines of the same model have in common when the beginning of one is torn.
function signOf({ configPath, alias }: ListRow): string {
  return configPath === UNKNOWN_WORD ? alias : configPath;
}

function idsBySign({ rows }: Base): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const row of rows) found.set(signOf(row), [...(found.get(signOf(row)) ?? []), row.modelId]);
  return found;
}

// Two programs that write at once leave the end of one's line, or a line behind the beginning of another.
function isPieceOf(ids: readonly string[] | undefined, { modelId }: ListRow): boolean {
  if (ids === undefined || ids.includes(modelId)) return false;
  return ids.some((id) => id.endsWith(modelId) || modelId.endsWith(id));
}
