/** The two stores that the old program had, named after their files. */
export type StoreKind = "model.list" | "cortex.db";

/** Something about a record that its owner should know, though it is no reason to refuse it. */
export interface LegacyNote {
  /** A stable word for programs, e.g. `path_joined`. */
  readonly code: string;
  /** One sentence for people; may hold text of the old store as it is. */
  readonly text: string;
}

/** One model as an old store has it: nothing interpreted, `null` where the store has nothing. */
export interface LegacyEntry {
  readonly kind: "entry";
  readonly store: StoreKind;
  /** Line from 1 in a text store, `rowid` in a database. */
  readonly line: number;
  /** Where to read it again: byte offset in a text store, `rowid` in a database. */
  readonly position: number;
  readonly modelId: string;
  readonly author: string | null;
  readonly branch: string | null;
  readonly configPath: string | null;
  readonly alias: string | null;
  /** The word as written: `READY`, `RUNNING`, `downloaded`, …, or one nobody knows. */
  readonly status: string | null;
  readonly modelFormat: string | null;
  readonly modelSource: string | null;
  readonly engine: string | null;
  readonly metadata: string | null;
  readonly notes: readonly LegacyNote[];
  /** Text of the record that has no field of its own, kept so that nothing is lost. */
  readonly rest: string | null;
}

/** Why a record cannot be taken over. */
export interface Problem {
  /** A stable word for programs, e.g. `not_utf8`. */
  readonly code: string;
  readonly why: string;
  readonly remedy: string;
}

/** A line or row that stays behind, with its text as far as it can be shown. */
export interface LegacyRefusal extends Problem {
  readonly kind: "refusal";
  readonly store: StoreKind;
  readonly line: number;
  readonly text: string;
}

/** What a store yields, one for each of its lines or rows, in its order. */
export type LegacyItem = LegacyEntry | LegacyRefusal;

/** An old store, open for reading. Nothing here ever writes to it. */
export interface LegacyStore extends Disposable {
  readonly kind: StoreKind;
  readonly path: string;
  /** Every line or row, in order; `done` tells how many bytes or rows of `total` are behind it. */
  scan(): Iterable<LegacyItem>;
  /** The entry at a position that `scan` gave. */
  entryAt(position: number): LegacyEntry;
  /** For a progress bar, in `unit`s. */
  readonly total: number;
  readonly done: number;
  readonly unit: "B" | "rows";
  /** Last change of the store's file, Unix milliseconds. */
  readonly modifiedAt: number;
  /** About the store as a whole, known after a complete `scan`. */
  readonly notes: readonly LegacyNote[];
  /** Throws when another program changed the store since it was opened. */
  assertUnchanged(): void;
}
