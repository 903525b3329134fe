import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect } from "vitest";

import { PageVersions } from "../../src/maintenance/page-versions.ts";
import { indexCell, parseBTreePage, tableLeafCell } from "../../src/maintenance/pages/btree-page.ts";
import { parseDatabaseHeader } from "../../src/maintenance/pages/database-header.ts";
import { PageDamage } from "../../src/maintenance/pages/page-damage.ts";
import { PageFile } from "../../src/maintenance/pages/page-file.ts";
import { decodeRecord, readPayload, type StoredValue } from "../../src/maintenance/pages/record.ts";
import { firstRow, lastRow } from "../../src/maintenance/pages/table-lookup.ts";
import { WriteAheadLog } from "../../src/maintenance/pages/write-ahead-log.ts";
import { test } from "../sqlite/folder.ts";
import { summarizeLog } from "../sqlite/log-summary.ts";

const ROWS: [number, ...(null | number | bigint | string | Buffer)[]][] = [
  [1, null, 0, 1, -1, 127, 128],
  [2, 40_000, -8_388_608, 2 ** 31, 2 ** 40, 2 ** 52, 1.5],
  [3, 9_223_372_036_854_775_807n, "", "text", "ü→😀", Buffer.from([0, 1, 2]), null],
  [300, "x".repeat(3000), "y".repeat(100), null, null, null, null],
  [70_000, "long ".repeat(20_000), null, null, null, null, "end"],
];

/** A database with values of every kind, in one table with rowids and one without. */
function makeDatabase(path: string, pageSize: number): void {
  const database = new Database(path);
  database.pragma(`page_size = ${pageSize}`);
  database.exec(
    "CREATE TABLE other (x); CREATE TABLE thing (id INTEGER PRIMARY KEY, a, b, c, d, e, f); CREATE TABLE own (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
  );
  const thing = database.prepare("INSERT INTO thing VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (const row of ROWS) thing.run(...row);
  const own = database.prepare("INSERT INTO own VALUES (?, ?)");
  for (let index = 0; index < 500; index++)
    own.run(`key ${String(index).padStart(4, "0")}`, "v".repeat(index * 7));
  database.close();
}

/** Everything that the leaves of a file hold, as far as it can be read. */
function readAll(path: string): { table: StoredValue[][]; index: StoredValue[][] } {
  using pages = new PageFile(path);
  const found = { table: [] as StoredValue[][], index: [] as StoredValue[][] };
  for (let number = 1; number <= pages.pageCount; number++) {
    const page = parseBTreePage(pages.page(number), number, pages.usableSize);
    if (page === undefined || page.kind === "table interior") continue;
    for (const at of page.cells) {
      try {
        if (page.kind === "table leaf") {
          const cell = tableLeafCell(page, at);
          const values = decodeRecord(readPayload(pages, page.bytes, cell, "table"));
          if (values.length === 7) found.table.push([cell.rowid, ...values.slice(1)]);
        } else {
          found.index.push(decodeRecord(readPayload(pages, page.bytes, indexCell(page, at), "index")));
        }
      } catch (error) {
        if (!(error instanceof PageDamage)) throw error;
      }
    }
  }
  return found;
}

describe("pages read by hand", () => {
  for (const pageSize of [512, 1024, 4096, 65_536]) {
    test(`give what SQLite wrote into pages of ${pageSize} bytes`, ({ folder }) => {
      const path = join(folder, "a.db");
      makeDatabase(path, pageSize);
      const { table, index } = readAll(path);
      expect(table).toEqual(ROWS);
      expect(index.length).toBe(500);
      expect(index.map(([key]) => key)).toContain("key 0499");
      using pages = new PageFile(path);
      expect(pages.pageCount).toBe(pageCountOf(path));
      expect(lastRow(pages, "thing")?.rowid).toBe(70_000);
      expect(lastRow(pages, "other")).toBeUndefined();
      expect(lastRow(pages, "missing")).toBeUndefined();
      expect(firstRow(pages, "own")).toEqual(["key 0000", ""]);
    });
  }

  test("never fail otherwise than as damage, whatever the file holds, and end", ({ folder }) => {
    const whole = join(folder, "whole.db");
    makeDatabase(whole, 512);
    const bytes = readFileSync(whole);
    const path = join(folder, "damaged.db");
    const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 400,
    });
    fc.assert(
      fc.property(damage, fc.nat(bytes.length), (changes, cut) => {
        const damaged = Buffer.from(bytes.subarray(0, cut % 5 === 0 ? cut : bytes.length));
        for (const [at, value] of changes) if (at < damaged.length) damaged[at] = value;
        writeFileSync(path, damaged);
        for (const read of [
          () => readAll(path),
          () => withPages(path, (pages) => lastRow(pages, "thing")),
          () => withPages(path, (pages) => firstRow(pages, "own")),
          () => summarizeLog(path, 512),
        ]) {
          try {
            read();
          } catch (error) {
            expect(error).toBeInstanceOf(PageDamage);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  test("the last page of a table is not taken for it where another was written over it", ({ folder }) => {
    const path = join(folder, "a.db");
    const database = new Database(path);
    database.exec("CREATE TABLE many (id INTEGER PRIMARY KEY, text)");
    const insert = database.prepare("INSERT INTO many (text) VALUES (?)");
    for (let row = 0; row < 500; row++) insert.run("text ".repeat(20));
    const leaves = database
      .prepare("SELECT pageno FROM dbstat WHERE name = 'many' AND pagetype = 'leaf' ORDER BY path")
      .pluck()
      .all() as number[];
    database.close();
    const bytes = readFileSync(path);
    const start = (leaf: number): number => (leaves.at(leaf)! - 1) * 4096;
    bytes.copy(bytes, start(-1), start(-2), start(-2) + 4096);
    using before = new PageFile(path);
    expect(lastRow(before, "many")?.rowid).toBe(500);
    writeFileSync(path, bytes);
    using after = new PageFile(path);
    expect(() => lastRow(after, "many")).toThrow(PageDamage);
  });

  test("a chain of overflow pages that leads in a circle ends", ({ folder }) => {
    const path = join(folder, "a.db");
    makeDatabase(path, 512);
    const bytes = readFileSync(path);
    // Every page that is none of a tree is taken for the one after itself.
    for (let at = 512; at < bytes.length; at += 512) {
      if (![2, 5, 10, 13].includes(bytes[at]!)) bytes.writeUInt32BE(at / 512 + 1, at);
    }
    writeFileSync(path, bytes);
    expect(readAll(path).table.map(([id]) => id)).toEqual([1, 2, 3]);
  });

  test("what is no header of a database is refused", () => {
    const header = Buffer.alloc(100);
    expect(() => parseDatabaseHeader(header)).toThrow(PageDamage);
    header.write("SQLite format 3\0", "latin1");
    expect(() => parseDatabaseHeader(header)).toThrow(PageDamage);
    expect(() => parseDatabaseHeader(header.subarray(0, 50))).toThrow(PageDamage);
  });
});

describe("a write-ahead log read by hand", () => {
  test("its committed frames end where SQLite's do, and those of an earlier round are told apart", ({
    folder,
  }) => {
    const path = makeLog(folder);
    using log = new WriteAheadLog(path);
    const frames = [...log.frames()].map(({ current, valid, commitPageCount }) => ({
      current,
      valid,
      commitPageCount,
    }));
    expect(frames.filter(({ valid, commitPageCount }) => valid && commitPageCount > 0).length).toBe(20);
    expect(frames.filter(({ current }) => !current).length).toBeGreaterThan(5);
    const { header, committedFrames, laterFrames } = summarizeLog(path);
    expect(header.intact).toBe(true);
    expect(committedFrames).toBe(frames.filter(({ valid }) => valid).length);
    expect(laterFrames).toBe(0);
  });

  test("commits behind a damaged frame are seen, and which of their frames are whole", ({ folder }) => {
    const path = makeLog(folder);
    const { committedFrames } = summarizeLog(path);
    const bytes = readFileSync(path);
    bytes[32 + 3 * 4120 + 500]! ^= 1;
    writeFileSync(path, bytes);
    const damaged = summarizeLog(path);
    expect(damaged.committedFrames).toBeLessThanOrEqual(3);
    expect(damaged.committedFrames + damaged.laterFrames).toBe(committedFrames);
    expect(damaged.laterCommits).toBeGreaterThan(10);
    using log = new WriteAheadLog(path);
    const broken = [...log.frames()].filter(({ current, whole }) => current && !whole);
    expect(broken.map(({ index }) => index)).toEqual([3]);
  });

  test("a last commit that is cut off is no commit", ({ folder }) => {
    const path = makeLog(folder);
    const { committedFrames } = summarizeLog(path);
    truncateSync(path, 32 + committedFrames * 4120 - 100);
    const cut = summarizeLog(path);
    expect(cut.committedFrames).toBeLessThan(committedFrames);
    expect(cut.laterCommits).toBe(0);
  });

  test("a damaged header is told, and its frames are still there for who knows the size of a page", ({
    folder,
  }) => {
    const path = makeLog(folder);
    const bytes = readFileSync(path);
    bytes[25]! ^= 1;
    writeFileSync(path, bytes);
    expect(summarizeLog(path)).toMatchObject({ header: { intact: false }, committedFrames: 0 });
    bytes.fill(0, 0, 32);
    writeFileSync(path, bytes);
    expect(() => new WriteAheadLog(path)).toThrow(PageDamage);
    using log = new WriteAheadLog(path, 4096);
    expect([...log.frames()].filter(({ whole }) => whole).length).toBeGreaterThan(20);
  });
});

function withPages<T>(path: string, read: (pages: PageFile) => T): T {
  using pages = new PageFile(path);
  return read(pages);
}

/** What SQLite says. */
function pageCountOf(path: string): unknown {
  const database = new Database(path, { readonly: true });
  try {
    return database.pragma("page_count", { simple: true });
  } finally {
    database.close();
  }
}

/** A log of 20 commits behind one checkpointed round, copied while it was in use. */
function makeLog(folder: string): string {
  const database = new Database(join(folder, "live.db"));
  database.pragma("journal_mode = WAL");
  database.exec("CREATE TABLE t (a)");
  const insert = database.prepare("INSERT INTO t VALUES (?)");
  for (let index = 0; index < 40; index++) insert.run("old ".repeat(200));
  database.pragma("wal_checkpoint(RESTART)");
  for (let index = 0; index < 20; index++) insert.run(`new ${index} `.repeat(100));
  const path = join(folder, "copy.db-wal");
  copyFileSync(join(folder, "live.db-wal"), path);
  database.close();
  return path;
}

const DESCRIPTORS = "/proc/self/fd";

test.runIf(existsSync(DESCRIPTORS))(
  "a file that cannot be read to its end is not left open",
  ({ folder }) => {
    const path = join(folder, "registry.db");
    makeDatabase(path, 4096);
    mkdirSync(`${path}-shm`);
    const before = readdirSync(DESCRIPTORS).length;
    for (let round = 0; round < 5; round++) expect(() => new PageVersions(path)).toThrow("EISDIR");
    expect(readdirSync(DESCRIPTORS)).toHaveLength(before);
  },
);
