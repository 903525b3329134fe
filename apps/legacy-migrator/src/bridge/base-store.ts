import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { renameDurably, syncPath, writeDurably } from "@cortex/model-db/durable-files";

import type { Base } from "./choose-base.ts";
import { parseRow, formatRow } from "./list-row.ts";

interface BaseRecord {
  readonly format: 1;
  readonly registry_id: string;
  readonly event_id: number;
  readonly lines: readonly string[];
}

const FORMAT = 1;
const NAME = /^base-(\d{12})\.json$/;
// How long a program may hold on to the list that it has read.
const STALE_MS = 10_000;
// The newest one may not have reached the file yet; those before it are for writes that began before.
const KEPT_FILES = 4;

/**
 * The versions of the file that a foreign write may have started from: in memory those of the last ten
 * seconds, on disk the last ones, so that a bridge that was killed goes on with them.
 */
export class BaseStore {
  readonly #folder: string;
  readonly #registryId: string;
  #bases: { base: Base; endedAt: number }[] = [];
  #number = 0;

  /**
   * @param folder is made if need be.
   * @param latestEventId of the registry; one that has gone back in time begins anew.
   */
  constructor(folder: string, registryId: string, latestEventId: number) {
    this.#folder = folder;
    this.#registryId = registryId;
    mkdirSync(folder, { recursive: true });
    const now = performance.now();
    for (const name of this.#names()) {
      this.#number = Math.max(this.#number, Number(NAME.exec(name)![1]));
      const base = this.#read(name);
      if (base === undefined || base.eventId > latestEventId) this.#bases = [];
      else this.#bases.push({ base, endedAt: now });
    }
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

  /** Puts other versions in the place of those there are, in memory: the same number of them. */
  rewrite(change: (bases: readonly Base[]) => readonly Base[]): void {
    const bases = change(this.all);
    this.#bases = this.#bases.map(({ endedAt }, index) => ({ base: bases[index]!, endedAt }));
  }

  /** Adds a version: it is on the disk when this returns. */
  add(base: Base): void {
    const record: BaseRecord = {
      format: FORMAT,
      registry_id: this.#registryId,
      event_id: base.eventId,
      lines: base.rows.map(formatRow),
    };
    const name = `base-${String(++this.#number).padStart(12, "0")}.json`;
    const temporary = join(this.#folder, "base.new");
    rmSync(temporary, { force: true });
    writeDurably(temporary, `${JSON.stringify(record)}\n`);
    renameDurably(temporary, join(this.#folder, name));
    const last = this.#bases.at(-1);
    if (last !== undefined) last.endedAt = performance.now();
    this.#bases.push({ base, endedAt: Infinity });
    this.#keep(KEPT_FILES);
  }

  /** Says that the file holds the newest version: a program that reads it later knows no other. */
  settle(): void {
    this.#keep(1);
    syncPath(this.#folder);
  }

  #keep(count: number): void {
    for (const name of this.#names().slice(0, -count)) rmSync(join(this.#folder, name), { force: true });
  }

  #names(): string[] {
    return readdirSync(this.#folder)
      .filter((name) => NAME.test(name))
      .toSorted();
  }

  #read(name: string): Base | undefined {
    try {
      const record = JSON.parse(readFileSync(join(this.#folder, name), "utf8")) as BaseRecord;
      if (record.format !== FORMAT || record.registry_id !== this.#registryId) return undefined;
      const rows = record.lines.map((line) => parseRow(line)!);
      return rows.includes(undefined as never) ? undefined : { rows, eventId: record.event_id };
    } catch {
      // Without a version to compare with, nothing is deleted.
      return undefined;
    }
  }
}
