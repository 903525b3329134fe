import { existsSync } from "node:fs";

import { readLogIndex } from "../database/sqlite/shared-memory.ts";
import { parseBTreePage } from "./pages/btree-page.ts";
import { parseDatabaseHeader } from "./pages/database-header.ts";
import { PageDamage } from "./pages/page-damage.ts";
import { PageFile, type Pages } from "./pages/page-file.ts";
import { WriteAheadLog } from "./pages/write-ahead-log.ts";

const PAGE_SIZES = [4096, 512, 1024, 2048, 8192, 16_384, 32_768, 65_536];
const SAMPLE_BYTES = 2 * 1024 * 1024;

/** One version of a page, in the file or in its log. */
export interface PageVersion {
  readonly pageNumber: number;
  readonly place: "file" | "log";
  /** Whether it is the one that SQLite would read. */
  readonly current: boolean;
  /** Whether it was committed behind a damaged frame of the log, so that SQLite does not read it any more. */
  readonly late: boolean;
  /** The pages as they were with it, for what overflows. */
  readonly pages: Pages;
  /** @throws PageDamage where it cannot be read any more. */
  readonly read: () => Buffer;
}

/**
 * What the write-ahead log is taken for: what SQLite reads first, as long as it is the file's own; older
 * than the file; or none of its own.
 */
export type LogUse = "newer" | "older" | "foreign";

/**
 * Every version of every page that a database file and its write-ahead log hold, however damaged they
 * are. As pages it is what SQLite would read: the newest committed versions.
 */
export class PageVersions implements Pages, Disposable {
  readonly pageSize: number;
  readonly usableSize: number;
  readonly pageCount: number;
  /** Whether there were commits in the log that SQLite would not read any more. */
  readonly logLost: boolean;
  readonly #opened: Disposable[] = [];
  readonly #file: PageFile;
  readonly #log: WriteAheadLog | undefined;
  /** For each page that is in the log, its committed frames in their order. */
  readonly #frames = new Map<number, number[]>();
  /** For each frame, the last one of its transaction; none for what was never committed. */
  readonly #commits: (number | undefined)[] = [];
  readonly #late = new Set<number>();
  readonly #committed: number;

  /**
   * @param path the database file; its log is the file of the same name with `-wal`.
   * @throws NodeJS.ErrnoException where they cannot be read.
   */
  constructor(path: string, use: LogUse = "newer") {
    const open = (pageSize?: number): WriteAheadLog | undefined => {
      const log = openLog(`${path}-wal`, pageSize);
      if (log !== undefined) this.#opened.push(log);
      return log;
    };
    try {
      const log = use === "foreign" ? undefined : open();
      this.pageSize = findPageSize(path, log?.header.pageSize);
      // A registry reserves no bytes of its pages for others.
      this.usableSize = this.pageSize;
      this.#file = new PageFile(path, this);
      this.#opened.push(this.#file);
      const fits = use === "foreign" || log?.header.pageSize === this.pageSize;
      this.#log = fits ? log : open(this.pageSize);
      const { committed, lost, lastPage } = this.#readFrames();
      this.#committed = use === "newer" ? committed : -1;
      // Where another log lies in its place, the file's own is gone.
      this.logLost = lost || use !== "newer" || this.#isShort(`${path}-shm`);
      this.pageCount = Math.max(this.#file.pageCount, lastPage);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** The pages of the file alone, as if there were no log. */
  get file(): Pages {
    return this.#file;
  }

  /** How many versions there are at most. */
  get versionCount(): number {
    return this.#file.pageCount + this.#commits.length;
  }

  /** How many bytes the file and its log have together. */
  get sizeBytes(): number {
    return this.#file.sizeBytes + (this.#log?.sizeBytes ?? 0);
  }

  page(pageNumber: number): Buffer {
    return this.#pageUpTo(pageNumber, this.#committed);
  }

  /** Every version, those that SQLite would read first. */
  *all(): Generator<PageVersion> {
    for (let pageNumber = 1; pageNumber <= this.#file.pageCount; pageNumber++) {
      if (this.#currentFrame(pageNumber) !== undefined) continue;
      yield this.#inFile(pageNumber, this);
    }
    for (const pageNumber of this.#frames.keys()) {
      const frame = this.#currentFrame(pageNumber);
      if (frame === undefined) continue;
      const read = (): Buffer => this.page(pageNumber);
      yield { pageNumber, place: "log", current: true, late: false, pages: this, read };
    }
    for (const pageNumber of this.#frames.keys()) {
      if (pageNumber > this.#file.pageCount || this.#currentFrame(pageNumber) === undefined) continue;
      yield this.#inFile(pageNumber, this.#file);
    }
    for (const [pageNumber, frames] of this.#frames) {
      for (const frame of frames) {
        if (this.#currentFrame(pageNumber) === frame) continue;
        const pages = this.#asOf(this.#commits[frame]!);
        const read = (): Buffer => this.#log!.page(frame);
        yield { pageNumber, place: "log", current: false, late: this.#late.has(frame), pages, read };
      }
    }
  }

  [Symbol.dispose](): void {
    for (const file of this.#opened) file[Symbol.dispose]();
  }

  #readFrames(): { committed: number; lost: boolean; lastPage: number } {
    let committed = -1;
    let lost = this.#log !== undefined && !this.#log.header.intact;
    let lastPage = 0;
    // By round. What a transaction that was rolled back, or cut off, has left in the log counts for nothing.
    const open = new Map<string, { index: number; pageNumber: number }[]>();
    for (const { index, pageNumber, salts, current, valid, commitPageCount } of this.#log?.frames() ?? []) {
      const frames = open.get(salts) ?? [];
      frames.push({ index, pageNumber });
      open.set(salts, frames);
      if (commitPageCount === 0) continue;
      open.delete(salts);
      if (valid) committed = index;
      else if (current) lost = true;
      for (const frame of frames) {
        this.#commits[frame.index] = index;
        if (current && !valid) this.#late.add(frame.index);
        if (valid) lastPage = Math.max(lastPage, frame.pageNumber);
        const versions = this.#frames.get(frame.pageNumber);
        if (versions === undefined) this.#frames.set(frame.pageNumber, [frame.index]);
        else versions.push(frame.index);
      }
    }
    return { committed, lost, lastPage };
  }

  /** Whether the log has less than those knew who wrote it. */
  #isShort(indexPath: string): boolean {
    const index = readLogIndex(indexPath);
    if (index === undefined || index.foldedFrames >= index.frames) return false;
    return this.#log?.header.salts !== index.salts || this.#committed + 1 < index.frames;
  }

  #inFile(pageNumber: number, pages: Pages): PageVersion {
    const read = (): Buffer => this.#file.page(pageNumber);
    return { pageNumber, place: "file", current: pages === this, late: false, pages, read };
  }

  #currentFrame(pageNumber: number): number | undefined {
    return this.#frameUpTo(pageNumber, this.#committed);
  }

  #asOf(frame: number): Pages {
    const { pageSize, usableSize, pageCount } = this;
    return { pageSize, usableSize, pageCount, page: (pageNumber) => this.#pageUpTo(pageNumber, frame) };
  }

  #pageUpTo(pageNumber: number, last: number): Buffer {
    const frame = this.#frameUpTo(pageNumber, last);
    return frame === undefined ? this.#file.page(pageNumber) : this.#log!.page(frame);
  }

  #frameUpTo(pageNumber: number, last: number): number | undefined {
    return this.#frames.get(pageNumber)?.findLast((frame) => frame <= last);
  }
}

function openLog(path: string, pageSize?: number): WriteAheadLog | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return new WriteAheadLog(path, pageSize);
  } catch (error) {
    if (error instanceof PageDamage) return undefined;
    throw error;
  }
}

// The size at which the most pages begin where pages can: with a smaller one most would begin inside others, and
// with a larger one some would not be seen. What the header says is believed where enough of them do.
function findPageSize(path: string, logPageSize: number | undefined): number {
  const sample = readBeginning(path);
  const said = pageSizeIn(sample) ?? logPageSize ?? PAGE_SIZES[0]!;
  let best = said;
  let most = plausiblePages(sample, said);
  if (most * said * 4 > sample.length) return said;
  for (const pageSize of PAGE_SIZES) {
    const count = plausiblePages(sample, pageSize);
    if (count <= most) continue;
    best = pageSize;
    most = count;
  }
  return best;
}

function pageSizeIn(bytes: Buffer): number | undefined {
  try {
    return parseDatabaseHeader(bytes).pageSize;
  } catch (error) {
    if (error instanceof PageDamage) return undefined;
    throw error;
  }
}

function plausiblePages(sample: Buffer, pageSize: number): number {
  let count = 0;
  for (let at = 0; at + pageSize <= sample.length; at += pageSize) {
    const page = parseBTreePage(sample.subarray(at, at + pageSize), at === 0 ? 1 : 2, pageSize);
    if (page !== undefined && page.intact && page.cells.length > 0) count++;
  }
  return count;
}

function readBeginning(path: string): Buffer {
  using file = new PageFile(path, { pageSize: SAMPLE_BYTES, usableSize: SAMPLE_BYTES });
  return file.pageCount === 0
    ? Buffer.alloc(0)
    : file.page(1).subarray(0, Math.min(SAMPLE_BYTES, file.sizeBytes));
}
