import type { Origin } from "./newest-state.ts";

/** Ids of events, both ends included. */
export type EventRange = readonly [first: number, last: number];

/** A table that is none of the registry's. */
export interface CarriedTable {
  readonly name: string;
  /** Whether all its rows could be read. */
  readonly complete: boolean;
}

/** What became of one model. */
export interface ModelReport {
  readonly modelId: string;
  /**
   * `recovered`: as it was last, as far as there are traces of changes. `uncertain`: changes of it may be
   * missing, even its deletion. `lost`: it was there, and what it was is not known.
   */
  readonly state: "recovered" | "uncertain" | "lost";
  /** Where its newest state was found. */
  readonly origin: Origin | null;
  /** False where a foreign program wrote it, so that no checksum tells whether it is what was written. */
  readonly verified: boolean;
  /** Aliases that went to a model that was changed later. */
  readonly lostAliases: readonly string[];
}

/** What was put together, and what could not be. */
export interface AssemblyReport {
  /** Those that are there, in the order of registration, and those that are lost. */
  readonly models: readonly ModelReport[];
  /** How many events there are. */
  readonly eventCount: number;
  /** The newest of them, or of the ids that an earlier repair has left unused; 0 where there is none. */
  readonly newestEventId: number;
  /** The ids of events that are nowhere, as ranges, both ends included; without those that were missed before. */
  readonly missingEvents: readonly EventRange[];
  /** Whether nothing can have happened after the newest of them, as far as the file tells. */
  readonly endKnown: boolean;
  /** How many events two sources tell differently; the file's own word was taken. */
  readonly contradictions: number;
}
