import { DATABASE_HEADER_BYTES } from "./database-header.ts";
import { PageDamage } from "./page-damage.ts";
import { readVarint, varintLength } from "./record.ts";

/** What a b-tree page holds. Tables without rowid and indexes are `index`. */
type BTreePageKind = "index interior" | "table interior" | "index leaf" | "table leaf";

const KINDS: Readonly<Record<number, BTreePageKind>> = {
  2: "index interior",
  5: "table interior",
  10: "index leaf",
  13: "table leaf",
};

/** A page of a b-tree: https://www.sqlite.org/fileformat2.html#b_tree_pages */
export interface BTreePage {
  readonly kind: BTreePageKind;
  readonly bytes: Buffer;
  readonly usableSize: number;
  /** Where each cell begins, in the order of the keys; only places inside the page. */
  readonly cells: readonly number[];
  /** False where the header or a cell's place says what cannot be. */
  readonly intact: boolean;
  /** The page with the largest keys; 0 in a leaf. */
  readonly rightChild: number;
}

/** A cell's payload: where it begins in the page, and how long it is with what overflows. */
export interface CellPayload {
  readonly start: number;
  readonly sizeBytes: number;
}

/**
 * Reads the header of a b-tree page and where its cells are, forgiving what is damaged of it.
 *
 * @param pageNumber only the first page has the database's header before its own.
 * @returns `undefined` where the page is none of a b-tree.
 */
export function parseBTreePage(bytes: Buffer, pageNumber: number, usableSize: number): BTreePage | undefined {
  const start = pageNumber === 1 ? DATABASE_HEADER_BYTES : 0;
  if (bytes.length < usableSize || usableSize < start + 12) return undefined;
  const kind = KINDS[bytes[start]!];
  if (kind === undefined) return undefined;
  const interior = kind.endsWith("interior");
  const pointers = start + (interior ? 12 : 8);
  const claimed = bytes.readUInt16BE(start + 3);
  const contentStart = bytes.readUInt16BE(start + 5) || 65_536;
  const count = Math.min(claimed, Math.floor((usableSize - pointers) / 2));
  const firstCell = pointers + 2 * count;
  const cells: number[] = [];
  for (let index = 0; index < count; index++) {
    const at = bytes.readUInt16BE(pointers + 2 * index);
    if (at >= firstCell && at <= usableSize - 3) cells.push(at);
  }
  const intact =
    cells.length === claimed &&
    new Set(cells).size === claimed &&
    bytes.readUInt16BE(start + 1) < usableSize &&
    contentStart >= firstCell &&
    contentStart <= usableSize &&
    bytes[start + 7]! <= 60;
  return {
    kind,
    bytes,
    usableSize,
    cells,
    intact,
    rightChild: interior ? bytes.readUInt32BE(start + 8) : 0,
  };
}

/** The page that a cell of an interior page points at: with keys up to the cell's. */
export function leftChild(page: BTreePage, cell: number): number {
  if (cell + 4 > page.usableSize) throw new PageDamage("A cell runs over its page.");
  return page.bytes.readUInt32BE(cell);
}

/** The largest rowid that is below a cell of an interior page of a table. */
export function largestBelow({ bytes, usableSize }: BTreePage, cell: number): number {
  const rowid = readVarint(bytes, cell + 4, usableSize);
  if (rowid < 0) throw new PageDamage("A cell runs over its page.");
  return rowid;
}

/**
 * The rowid and the payload of a cell of a table's leaf.
 *
 * @throws PageDamage where the cell runs over its page.
 */
export function tableLeafCell(
  { bytes, usableSize }: BTreePage,
  cell: number,
): CellPayload & { rowid: number } {
  const sizeBytes = readVarint(bytes, cell, usableSize);
  const second = cell + varintLength(bytes, cell);
  const rowid = readVarint(bytes, second, usableSize);
  if (sizeBytes < 0 || rowid < 0) throw new PageDamage("A cell runs over its page.");
  return { rowid, sizeBytes, start: second + varintLength(bytes, second) };
}

/**
 * The payload of a cell of an index, or of a table without rowid.
 *
 * @throws PageDamage where the cell runs over its page, or the page is none of an index.
 */
export function indexCell({ kind, bytes, usableSize }: BTreePage, cell: number): CellPayload {
  if (!kind.startsWith("index")) throw new PageDamage("The page belongs to a table with rowids.");
  const at = kind === "index interior" ? cell + 4 : cell;
  const sizeBytes = readVarint(bytes, at, usableSize);
  if (sizeBytes < 0) throw new PageDamage("A cell runs over its page.");
  return { sizeBytes, start: at + varintLength(bytes, at) };
}
