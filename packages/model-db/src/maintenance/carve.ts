import { PageVersions, type LogUse, type PageVersion } from "./page-versions.ts";
import { indexCell, leftChild, parseBTreePage, tableLeafCell, type BTreePage } from "./pages/btree-page.ts";
import { PageDamage } from "./pages/page-damage.ts";
import type { Pages } from "./pages/page-file.ts";
import { decodeRecord, readPayload, readRecordHeader, readVarint, recordSize } from "./pages/record.ts";
import { findTableRoot, firstRow, lastRow } from "./pages/table-lookup.ts";
import { isVerified, shapeOf, type FoundRow, type RowShape } from "./row-shapes.ts";

/** A row that was found, and how far it can be trusted. */
export type CarvedRow = FoundRow & {
  readonly place: "file" | "log";
  /** Whether it stands where SQLite would read it, and not in an earlier version of a page or a free one. */
  readonly live: boolean;
  /** Whether it was committed behind a damaged frame of the log; such rows come last. */
  readonly late: boolean;
  /** Whether its checksum holds; else it has none, as rows that a foreign program wrote. */
  readonly verified: boolean;
};

/** What was seen on the way. */
export interface CarveSummary {
  /** The tables whose every row was read where SQLite would read it. */
  readonly wholeTables: ReadonlySet<FoundRow["table"]>;
  readonly log: LogUse;
  /** The newest event that there was, found or not; `undefined` where the end of the history is damaged. */
  readonly newestEventId: number | undefined;
  /** Whether there were commits in the log that SQLite would not read any more. */
  readonly logLost: boolean;
}

type Table = FoundRow["table"];

const TABLES: readonly Table[] = ["model", "model_event", "model_file"];
// How often what overflows may be read for nothing, in sizes of the file: damage can point anywhere.
const OVERFLOW_ALLOWANCE = 8;

/**
 * The rows of models, events and files in a database file and its write-ahead log, however damaged: by
 * the cells of each page and, where a page looks damaged, at each of its bytes. A row is taken only when
 * its checksum holds, or when it has none and stands in an undamaged page of its table. Versions that
 * SQLite would read come first; older ones follow, also of what was deleted since. A log that belongs to
 * another database is left alone.
 *
 * @param path the file, which nobody changes meanwhile; its log is the file of the same name with `-wal`.
 * @throws NodeJS.ErrnoException where the files cannot be read.
 */
export function* carve(
  path: string,
  onProgress: (done: number, total: number) => void = () => undefined,
): Generator<CarvedRow, CarveSummary> {
  const log = judgeLog(path);
  using versions = new PageVersions(path, log);
  const carver = new Carver(versions);
  let done = 0;
  for (const version of versions.all()) {
    yield* carver.cells(version);
    onProgress(++done, versions.versionCount);
  }
  yield* carver.suspects();
  const newestEventId = attempt(() => lastRow(versions, "model_event")?.rowid ?? 0);
  return { wholeTables: carver.wholeTables, log, newestEventId, logLost: versions.logLost };
}

class Carver {
  /** The tables of whose trees nothing was found damaged so far. */
  readonly wholeTables = new Set<Table>();
  readonly #tableOf = new Map<number, Table>();
  readonly #suspects: PageVersion[] = [];
  /** Pages that a row overflowed into, which look damaged and are not. */
  readonly #overflow = new Set<number>();
  /** The checksums of rows that were found in the log: the same row stands in many of its frames. */
  readonly #inLog = new Set<string>();
  #allowance: number;

  constructor(versions: PageVersions) {
    this.#allowance = versions.sizeBytes * OVERFLOW_ALLOWANCE + 2 ** 24;
    const trees = TABLES.map((table) => ({ table, ...treeOf(versions, table) }));
    // A damaged tree may lead into another table's: a page is of the whole one, and where both seem so, neither is.
    for (const { table, pages, whole } of trees.toSorted(
      (one, other) => Number(other.whole) - Number(one.whole),
    )) {
      if (whole) this.wholeTables.add(table);
      for (const pageNumber of pages) {
        const owner = this.#tableOf.get(pageNumber);
        if (owner === undefined) this.#tableOf.set(pageNumber, table);
        else if (whole) for (const claiming of [owner, table]) this.wholeTables.delete(claiming);
      }
    }
  }

  /** The rows that the cells of a page lead to. */
  *cells(version: PageVersion): Generator<CarvedRow> {
    const bytes = version.read();
    const table = version.current ? this.#tableOf.get(version.pageNumber) : undefined;
    const page = parseBTreePage(bytes, version.pageNumber, version.pages.usableSize);
    let damaged = page === undefined ? !isBlank(bytes) : !page.intact;
    if (page !== undefined && page.kind !== "table interior") {
      for (const at of page.cells) {
        const found = this.#cell(version, page, at);
        if (found === "damaged" || (table !== undefined && found?.table !== table)) damaged = true;
        if (found === undefined || found === "damaged") continue;
        const row = this.#judged(found, version, { table, intact: page.intact });
        if (row === "damaged") damaged = true;
        else if (row !== undefined) yield row;
      }
    }
    if (!damaged) return;
    this.#suspects.push(version);
    if (table !== undefined) this.wholeTables.delete(table);
  }

  /** The rows of the pages that looked damaged, wherever in them they begin. */
  *suspects(): Generator<CarvedRow> {
    for (const version of this.#suspects) {
      if (version.current && this.#overflow.has(version.pageNumber)) continue;
      const bytes = version.read();
      for (let at = 0; at < version.pages.usableSize - 8; at++) {
        if (!mayBeginRecord(bytes[at]!, bytes[at + 1]!)) continue;
        // It may as well be what is left of an earlier version.
        const found = this.#recordAt(version, bytes, at);
        const row = found && this.#judged(found, version, { table: undefined, intact: false });
        if (row !== undefined && row !== "damaged") yield row;
      }
    }
  }

  #cell(version: PageVersion, page: BTreePage, at: number): FoundRow | "damaged" | undefined {
    try {
      const tree = page.kind === "table leaf" ? "table" : "index";
      const cell = tree === "table" ? tableLeafCell(page, at) : { rowid: 0, ...indexCell(page, at) };
      const end = Math.min(page.usableSize, cell.start + cell.sizeBytes);
      const header = readRecordHeader(page.bytes, cell.start, end);
      if (header === undefined || recordSize(header) !== cell.sizeBytes) return "damaged";
      const shape = shapeOf(header.types, tree);
      return shape && this.#row(shape, version, page.bytes, cell);
    } catch (error) {
      if (error instanceof PageDamage) return "damaged";
      throw error;
    }
  }

  #recordAt(version: PageVersion, bytes: Buffer, at: number): FoundRow | undefined {
    const { usableSize } = version.pages;
    const header = readRecordHeader(bytes, at, Math.min(usableSize, at + bytes[at]!));
    const shape = header && (shapeOf(header.types, "table") ?? shapeOf(header.types, "index"));
    if (shape === undefined) return undefined;
    try {
      const cell = { rowid: rowidBefore(bytes, at), start: at, sizeBytes: recordSize(header!) };
      return this.#row(shape, version, bytes, cell);
    } catch (error) {
      if (error instanceof PageDamage) return undefined;
      throw error;
    }
  }

  #row(
    shape: RowShape,
    { pages, current }: PageVersion,
    bytes: Buffer,
    cell: { rowid: number; start: number; sizeBytes: number },
  ): FoundRow {
    const overflows: number[] = [];
    const noting: Pages = {
      ...sizesOf(pages),
      page: (pageNumber) => {
        this.#allowance -= pages.pageSize;
        if (this.#allowance < 0) throw new PageDamage("What overflows leads too far.");
        overflows.push(pageNumber);
        return pages.page(pageNumber);
      },
    };
    const found = shape.toRow(cell.rowid, decodeRecord(readPayload(noting, bytes, cell, shape.tree)));
    if (overflows.length > 0 && isVerified(found)) {
      this.#allowance += overflows.length * pages.pageSize;
      if (current) for (const pageNumber of overflows) this.#overflow.add(pageNumber);
    }
    return found;
  }

  #judged(
    found: FoundRow,
    { place, current, late }: PageVersion,
    { table, intact }: { table: Table | undefined; intact: boolean },
  ): CarvedRow | "damaged" | undefined {
    const live = table === found.table;
    const checksum = found.row.row_checksum;
    if (checksum === "") return intact && live ? { ...found, place, live, late, verified: false } : undefined;
    const key = `${found.table} ${checksum}`;
    if (!live && this.#inLog.has(key)) return undefined;
    if (!isVerified(found)) return "damaged";
    if (place === "log" || !current) this.#inLog.add(key);
    return { ...found, place, live, late, verified: true };
  }
}

/**
 * Whether a log is the file's own, by the events that both hold: their ids follow each other, and the
 * same id is the same event.
 */
function judgeLog(path: string): LogUse {
  using versions = new PageVersions(path);
  const logged = new Map<number, Set<string>>();
  for (const version of versions.all()) {
    if (version.place === "file") continue;
    for (const [eventId, checksum] of eventsIn(version)) {
      logged.set(eventId, (logged.get(eventId) ?? new Set()).add(checksum));
    }
  }
  if (isOtherRegistry(versions)) return "foreign";
  if (logged.size === 0) return "newer";
  let [same, different] = [0, 0];
  for (const version of versions.all()) {
    if (version.place === "log") continue;
    for (const [eventId, checksum] of eventsIn(version, logged)) {
      if (logged.get(eventId)!.has(checksum)) same++;
      else different++;
    }
  }
  if (different > same) return "foreign";
  const newest = attempt(() => lastRow(versions.file, "model_event")?.rowid ?? 0);
  if (newest === undefined) return "newer";
  const ids = [...logged.keys()];
  if (!versions.logLost && same === 0 && ids.every((eventId) => eventId > newest + 1)) return "foreign";
  return ids.every((eventId) => eventId < newest) ? "older" : "newer";
}

function isOtherRegistry(versions: PageVersions): boolean {
  const [own] = attempt(() => firstRow(versions.file, "registry")) ?? [];
  const [shown] = attempt(() => firstRow(versions, "registry")) ?? [];
  return typeof own === "string" && typeof shown === "string" && own !== shown;
}

/** The checksum of each event in a leaf, or of those that are wanted, where it holds and nothing overflows. */
function eventsIn(version: PageVersion, wanted?: ReadonlyMap<number, unknown>): Map<number, string> {
  const events = new Map<number, string>();
  const { usableSize, pageSize } = version.pages;
  const page = parseBTreePage(version.read(), version.pageNumber, usableSize);
  if (page?.kind !== "table leaf") return events;
  const alone: Pages = {
    usableSize,
    pageSize,
    pageCount: 1,
    page: () => {
      throw new PageDamage("It overflows.");
    },
  };
  for (const at of page.cells) {
    const found = attempt(() => {
      const cell = tableLeafCell(page, at);
      const header = readRecordHeader(page.bytes, cell.start, page.usableSize);
      const shape = shapeOf(header?.types ?? [], "table");
      if (shape?.table !== "model_event" || wanted?.has(cell.rowid) === false) return undefined;
      return shape.toRow(cell.rowid, decodeRecord(readPayload(alone, page.bytes, cell, "table")));
    });
    if (found?.table === "model_event" && isVerified(found))
      events.set(found.row.event_id, found.row.row_checksum);
  }
  return events;
}

/** The pages of a table's tree, and whether all of them are there and say what they may. */
function treeOf(pages: Pages, table: Table): { pages: Set<number>; whole: boolean } {
  const root = attempt(() => findTableRoot(pages, table));
  const seen = new Set<number>();
  let whole = root !== undefined;
  const waiting = root === undefined ? [] : [root];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const pageNumber = next;
    const bytes = attempt(() => pages.page(pageNumber));
    const page = bytes && parseBTreePage(bytes, pageNumber, pages.usableSize);
    if (seen.has(pageNumber) || page === undefined || !page.intact) whole = false;
    if (seen.has(pageNumber) || bytes === undefined) continue;
    seen.add(pageNumber);
    if (page?.kind.endsWith("interior") !== true) continue;
    const children = page.cells.map((cell) => attempt(() => leftChild(page, cell)) ?? 0);
    waiting.push(...children, page.rightChild);
  }
  return { pages: seen, whole };
}

// A record of ours begins with how long its header is, and then NULL for the rowid or the type of a text.
function mayBeginRecord(headerBytes: number, firstType: number): boolean {
  if (firstType === 0) return headerBytes >= 10 && headerBytes < 128;
  return firstType >= 13 && headerBytes >= 9 && headerBytes <= 40;
}

/** The rowid of the record that begins at a place, where it stands before it. */
function rowidBefore(bytes: Buffer, at: number): number {
  let start = at - 1;
  // All bytes of a varint but the last have their highest bit set, and so has not what stands before it.
  while (start > 0 && at - start < 8 && bytes[start - 1]! >= 0x80) start--;
  return start < 0 ? -1 : readVarint(bytes, start, at);
}

function sizesOf({ pageSize, usableSize, pageCount }: Pages): Omit<Pages, "page"> {
  return { pageSize, usableSize, pageCount };
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof PageDamage) return undefined;
    throw error;
  }
}
