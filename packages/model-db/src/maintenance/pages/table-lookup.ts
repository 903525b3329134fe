import {
  indexCell,
  largestBelow,
  leftChild,
  parseBTreePage,
  tableLeafCell,
  type BTreePage,
} from "./btree-page.ts";
import { PageDamage } from "./page-damage.ts";
import type { Pages } from "./page-file.ts";
import { decodeRecord, readPayload, type StoredValue } from "./record.ts";

// A tree of 2^32 pages with two children each is no deeper.
const MAX_DEPTH = 40;

/**
 * The first page of a table, by the schema in the file.
 *
 * @returns `undefined` where the schema has no such table.
 * @throws PageDamage where the schema cannot be read.
 */
export function findTableRoot(pages: Pages, table: string): number | undefined {
  for (const leaf of leavesOf(pages, 1)) {
    for (const cell of leaf.cells) {
      const payload = readPayload(pages, leaf.bytes, tableLeafCell(leaf, cell), "table");
      // CREATE TABLE sqlite_schema (type, name, tbl_name, rootpage, sql)
      const [type, name, , rootPage] = decodeRecord(payload);
      if (type === "table" && name === table && typeof rootPage === "number") return rootPage;
    }
  }
  return undefined;
}

/**
 * The row of a table with the largest rowid, down the right edge of its tree: a page for each level of
 * it. Of `model_event` that is the newest event that the file holds without its write-ahead log.
 *
 * @returns `undefined` where there is no such table, or no row in it.
 * @throws PageDamage where a page on the way is damaged, or another one's.
 */
export function lastRow(pages: Pages, table: string): { rowid: number; values: StoredValue[] } | undefined {
  const root = findTableRoot(pages, table);
  if (root === undefined) return undefined;
  let before = -Infinity;
  const leaf = descend(pages, root, (page) => {
    const last = page.cells.at(-1);
    if (last !== undefined && page.kind === "table interior")
      before = Math.max(before, largestBelow(page, last));
    return page.rightChild;
  });
  if (leaf.kind !== "table leaf") throw new PageDamage(`${table} has no rowids.`);
  const [first, last] = [leaf.cells[0], leaf.cells.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  // As sound as it may look, it is another page, and what stood there is lost.
  if (tableLeafCell(leaf, first).rowid <= before)
    throw new PageDamage(`The last page of ${table} does not follow the one before.`);
  const cell = tableLeafCell(leaf, last);
  return { rowid: cell.rowid, values: decodeRecord(readPayload(pages, leaf.bytes, cell, "table")) };
}

/**
 * The first row of a table without rowid, such as the one row of `registry`: its primary key and then
 * the other columns.
 *
 * @returns `undefined` where there is no such table or no row in it.
 * @throws PageDamage where a page on the way is damaged.
 */
export function firstRow(pages: Pages, table: string): StoredValue[] | undefined {
  const root = findTableRoot(pages, table);
  if (root === undefined) return undefined;
  const leaf = descend(pages, root, (page) => leftChild(page, page.cells[0] ?? page.usableSize));
  const [first] = leaf.cells;
  if (first === undefined) return undefined;
  return decodeRecord(readPayload(pages, leaf.bytes, indexCell(leaf, first), "index"));
}

function descend(pages: Pages, root: number, child: (page: BTreePage) => number): BTreePage {
  let page = bTreePage(pages, root);
  for (let depth = 0; page.kind.endsWith("interior"); depth++) {
    if (depth > MAX_DEPTH) throw new PageDamage("A tree leads in a circle.");
    page = bTreePage(pages, child(page));
  }
  return page;
}

/** The leaves of a table's tree, in the order of the rowids. */
function* leavesOf(pages: Pages, root: number): Generator<BTreePage> {
  const seen = new Set<number>();
  const waiting = [root];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) throw new PageDamage("A tree leads in a circle.");
    seen.add(next);
    const page = bTreePage(pages, next);
    if (page.kind === "table leaf") yield page;
    else waiting.push(page.rightChild, ...page.cells.toReversed().map((cell) => leftChild(page, cell)));
  }
}

function bTreePage(pages: Pages, pageNumber: number): BTreePage {
  const page = parseBTreePage(pages.page(pageNumber), pageNumber, pages.usableSize);
  if (page === undefined || !page.intact) throw new PageDamage(`Page ${pageNumber} is damaged.`);
  return page;
}
