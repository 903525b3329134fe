import type { LegacyNote, StoreKind } from "./legacy/legacy-entry.ts";
import type { FieldMerge } from "./merge-entries.ts";

/** What became of a line or a row. */
export const OUTCOMES = ["created", "already_there", "merged", "renamed", "refused"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/**
 * One line or row of an old store in the report, as data. Every one of them has exactly one.
 *
 * `created`: a new model. `renamed`: a new model too, whose alias was taken. `already_there`: the
 * registry has it; `fields` names where it says something else, which was left as it is. `merged`: it
 * added something to a model (`into`), or repeats one; `fields` names what came from where. `refused`:
 * nothing was taken over; `text`, `why` and `remedy` say what to do.
 */
export interface ReportEntry {
  readonly outcome: Outcome;
  readonly store: StoreKind;
  /** Line from 1 in a text store, `rowid` in a database. */
  readonly line: number;
  readonly model_id: string | null;
  readonly into?: string;
  readonly old_alias?: string;
  readonly new_alias?: string | null;
  readonly fields?: readonly FieldMerge[];
  readonly notes?: readonly LegacyNote[];
  readonly text?: string;
  readonly code?: string;
  readonly why?: string;
  readonly remedy?: string;
}

/** How many lines and rows had which outcome. */
export type Counts = Record<Outcome, number>;

/** No line seen yet. */
export function noCounts(): Counts {
  return { created: 0, already_there: 0, merged: 0, renamed: 0, refused: 0 };
}
