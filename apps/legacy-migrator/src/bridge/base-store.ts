import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { renameDurably, writeDurably } from "@cortex/model-db/durable-files";

import type { Base } from "./choose-base.ts";
import { formatRow, parseRow } from "./list-row.ts";

interface BasesRecord {
  readonly format: 1;
  readonly registry_id: string;
  /** Every line that a version has, once. */
  readonly lines: readonly string[];
  /** Oldest first; `rows` are numbers of lines. */
  readonly versions: readonly { readonly event_id: number; readonly rows: readonly number[] }[];
}

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
  #bases: { base: Base; endedAt: number }[] = [];

  /**
   * @param folder is there.
   * @param latestEventId of the registry; one that has gone back in time begins anew.
   */
  constructor(folder: string, registryId: string, latestEventId: number) {
    this.#path = join(folder, FILE);
    this.#registryId = registryId;
    const now = performance.now();
    const bases = this.#read();
    if (bases.some(({ eventId }) => eventId > latestEventId)) return;
    this.#bases = bases.map((base) => ({ base, endedAt: now }));
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

  /** Puts other versions in the place of those there are, the same number: on the disk when this returns. */
  rewrite(change: (bases: readonly Base[]) => readonly Base[]): void {
    const old = this.all;
    const bases = change(old);
    if (bases.every((base, index) => base === old[index])) return;
    this.#bases = this.#bases.map(({ endedAt }, index) => ({ base: bases[index]!, endedAt }));
    this.#save();
  }

  /** Adds a version: it is on the disk when this returns. */
  add(base: Base): void {
    const last = this.#bases.at(-1);
    if (last !== undefined) last.endedAt = performance.now();
    this.#bases.push({ base, endedAt: Infinity });
    this.#save();
  }

  /** Says that the file holds the newest version: a program that reads it later knows no other. */
  settle(): void {
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
    const versions = this.#bases.slice(-KEPT).map(({ base: { rows, eventId } }) => ({
      event_id: eventId,
      rows: rows.map((row) => numberOf(formatRow(row))),
    }));
    const record: BasesRecord = {
      format: FORMAT,
      registry_id: this.#registryId,
      lines: [...numbers.keys()],
      versions,
    };
    rmSync(`${this.#path}.new`, { force: true });
    writeDurably(`${this.#path}.new`, `${JSON.stringify(record)}\n`);
    renameDurably(`${this.#path}.new`, this.#path);
  }

  // Without a version to compare with, nothing is deleted.
  #read(): Base[] {
    try {
      const record = JSON.parse(readFileSync(this.#path, "utf8")) as BasesRecord;
      if (record.format !== FORMAT || record.registry_id !== this.#registryId) return [];
      return record.versions.map(({ event_id, rows }) => ({
        rows: rows.map((number) => {
          const row = parseRow(record.lines[number]!);
          if (row === undefined) throw new Error("not a row");
          return row;
        }),
        eventId: event_id,
      }));
    } catch {
      return [];
    }
  }
}
