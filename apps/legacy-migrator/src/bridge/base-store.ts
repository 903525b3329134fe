import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { renameDurably, writeDurably } from "@cortex/model-db/durable-files";

import type { Base } from "./choose-base.ts";
import { formatRow, parseRow } from "./list-row.ts";

/** Oldest first; `rows` are numbers of lines. */
type RecordedVersions = readonly { readonly event_id: number; readonly rows: readonly number[] }[];

interface BasesRecord {
  readonly format: 1;
  readonly registry_id: string;
  /** Every line that a version has, once. */
  readonly lines: readonly string[];
  readonly versions: RecordedVersions;
  /** What they become with a merge that writes its first event behind this one, if it came to that. */
  readonly next?: { readonly after_event_id: number; readonly versions: RecordedVersions } | undefined;
}

type DatedBase = { base: Base; endedAt: number };

const FORMAT = 1;
const FILE = "bases.json";
// How long a program may hold on to the list that it has read.
const STALE_MS = 10_000;
// The newest one may not have reached the file yet; those before it are for writes that began before.
const KEPT = 4;

/**
 * The versions of the file that a foreign write may have started from: in memory those of the last ten
 * seconds, on disk the last four, so that a bridge that was killed goes on with them.
 */
export class BaseStore {
  readonly #path: string;
  readonly #registryId: string;
  #bases: DatedBase[] = [];
  #next: { bases: DatedBase[]; afterEventId: number } | undefined;

  /**
   * @param folder is there.
   * @param latestEventId of the registry; one that has gone back in time begins anew.
   */
  constructor(folder: string, registryId: string, latestEventId: number) {
    this.#path = join(folder, FILE);
    this.#registryId = registryId;
    const now = performance.now();
    const { bases, next } = this.#read();
    if (bases.some(({ eventId }) => eventId > latestEventId)) return;
    this.#bases = bases.map((base) => ({ base, endedAt: now }));
    if (next === undefined) return;
    const nextBases = next.bases.map((base) => ({ base, endedAt: now }));
    this.#next = { bases: nextBases, afterEventId: next.afterEventId };
  }

  /** Oldest first; none where the file and this registry have never met. */
  get all(): readonly Base[] {
    const now = performance.now();
    const first = this.#bases.findIndex(({ endedAt }) => endedAt > now - STALE_MS);
    if (first > 0) this.#bases.splice(0, first);
    return this.#bases.map(({ base }) => base);
  }

  get newest(): Base | undefined {
    return this.#bases.at(-1)?.base;
  }

  /** The event behind which a merge that was prepared writes; `undefined` where none is under way. */
  get preparedAfter(): number | undefined {
    return this.#next?.afterEventId;
  }

  /**
   * Notes what the versions become with a merge that is about to be done, the same number: on the disk when
   * this returns. Until {@link BaseStore.commit} those before hold.
   *
   * @param afterEventId the registry's latest event before those of the merge.
   */
  prepare(change: (bases: readonly Base[]) => readonly Base[], afterEventId: number): void {
    const old = this.all;
    const bases = change(old);
    const isSame = bases.every((base, index) => base === old[index]);
    // One that was prepared and not done may not be taken for this one.
    if (isSame && this.#next === undefined) return;
    const dated = this.#bases.map(({ endedAt }, index) => ({ base: bases[index]!, endedAt }));
    this.#next = isSame ? undefined : { bases: dated, afterEventId };
    this.#save();
  }

  /** Says that what was prepared is done. */
  commit(): void {
    this.#bases = this.#next?.bases ?? this.#bases;
    this.#next = undefined;
  }

  /** Adds a version: it is on the disk when this returns. */
  add(base: Base): void {
    this.#next = undefined;
    const last = this.#bases.at(-1);
    if (last !== undefined) last.endedAt = performance.now();
    this.#bases.push({ base, endedAt: Infinity });
    this.#save();
  }

  /** Says that the file holds the newest version: a program that reads it later knows no other. */
  settle(): void {
    this.#next = undefined;
    this.#bases = this.#bases.slice(-1);
    if (this.#bases.length > 0) this.#save();
  }

  #save(): void {
    const numbers = new Map<string, number>();
    const numberOf = (line: string): number => {
      const known = numbers.get(line) ?? numbers.size;
      numbers.set(line, known);
      return known;
    };
    const recorded = (bases: readonly DatedBase[]): RecordedVersions =>
      bases.slice(-KEPT).map(({ base: { rows, eventId } }) => ({
        event_id: eventId,
        rows: rows.map((row) => numberOf(formatRow(row))),
      }));
    const versions = recorded(this.#bases);
    const next = this.#next && {
      after_event_id: this.#next.afterEventId,
      versions: recorded(this.#next.bases),
    };
    const record: BasesRecord = {
      format: FORMAT,
      registry_id: this.#registryId,
      lines: [...numbers.keys()],
      versions,
      next,
    };
    rmSync(`${this.#path}.new`, { force: true });
    writeDurably(`${this.#path}.new`, `${JSON.stringify(record)}\n`);
    renameDurably(`${this.#path}.new`, this.#path);
  }

  // Without a version to compare with, nothing is deleted.
  #read(): { bases: readonly Base[]; next?: { bases: readonly Base[]; afterEventId: number } } {
    try {
      const record = JSON.parse(readFileSync(this.#path, "utf8")) as BasesRecord;
      if (record.format !== FORMAT || record.registry_id !== this.#registryId) return { bases: [] };
      const { lines, versions, next } = record;
      const bases = readVersions(versions, lines);
      if (next === undefined) return { bases };
      return {
        bases,
        next: { bases: readVersions(next.versions, lines), afterEventId: next.after_event_id },
      };
    } catch {
      return { bases: [] };
    }
  }
}

function readVersions(versions: RecordedVersions, lines: readonly string[]): readonly Base[] {
  return versions.map(({ event_id, rows }) => ({
    rows: rows.map((number) => {
      const row = parseRow(lines[number]!);
      if (row === undefined) throw new Error("not a row");
      return row;
    }),
    eventId: event_id,
  }));
}
