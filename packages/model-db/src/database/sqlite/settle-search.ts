import type Database from "better-sqlite3";

// Pages of the index that are written at a time: 5 to 15 ms.
const STEP_PAGES = 200;
// Up to this many pages, some 4,000 models, the whole index is merged whenever there is something to merge.
const FEW_PAGES = 600;
// In larger ones as soon as this part of it is new: so each page is written anew a bounded number of times.
const NEW_PART = 1 / 64;

/**
 * Does one step towards a search index of a single part, inside a write transaction, where that is worth while.
 * Each change adds a part, and a search asks every one of them for each of its trigrams; FTS5 by itself leaves up
 * to thirty (https://sqlite.org/fts5.html#the_merge_command).
 *
 * @returns whether there was something to do, and so may be more.
 */
export function settleSearch(connection: Database.Database): boolean {
  const structure = connection.prepare("SELECT block FROM model_search_data WHERE id = 10").pluck().get();
  const step = structure instanceof Buffer ? nextStep(readStructure(structure)) : "nothing";
  if (step === "nothing") return false;
  const pages = step === "merge all" ? -STEP_PAGES : STEP_PAGES;
  connection.exec(`INSERT INTO model_search (model_search, rank) VALUES ('merge', ${pages})`);
  return true;
}

/** The parts of a search index. */
export interface SearchParts {
  /** How many pages each of them has. */
  readonly pages: readonly number[];
  /** Some of them are being merged into one. */
  readonly isMerging: boolean;
}

/** What is worth while: what all parts merged would cost is weighed, what was begun is brought to its end. */
export function nextStep({ pages, isMerging }: SearchParts): "merge all" | "go on" | "nothing" {
  const all = pages.reduce((sum, count) => sum + count, 0);
  const isNew = all - Math.max(...pages);
  if (pages.length > 1 && (all <= FEW_PAGES || isNew >= all * NEW_PART)) return "merge all";
  return isMerging ? "go on" : "nothing";
}

/**
 * Reads the record of the structure of an FTS5 index.
 * https://sqlite.org/fts5.html#fts5_data_structures; its format is described in `fts5_index.c`.
 *
 * @throws RangeError where it is cut off.
 */
export function readStructure(block: Buffer): SearchParts {
  // Behind the cookie, the mark of an index whose parts know what was deleted from them.
  const hasDeletions = block.readUInt32BE(4) === 0xff000001;
  let at = hasDeletions ? 8 : 4;
  const next = (): number => {
    let value = 0;
    for (;;) {
      const byte = block.readUInt8(at++);
      value = value * 128 + (byte & 0x7f);
      if (byte < 0x80) return value;
    }
  };
  const levels = next();
  next();
  next();
  const pages: number[] = [];
  let isMerging = false;
  for (let level = 0; level < levels; level++) {
    if (next() > 0) isMerging = true;
    for (let left = next(); left > 0; left--) {
      next();
      const first = next();
      pages.push(next() - first + 1);
      if (hasDeletions) for (let field = 0; field < 5; field++) next();
    }
  }
  return { pages, isMerging };
}
