import { closeSync, fstatSync, openSync } from "node:fs";

import { DATABASE_HEADER_BYTES, parseDatabaseHeader, type DatabaseHeader } from "./database-header.ts";
import { PageDamage } from "./page-damage.ts";
import { readFully } from "./read-fully.ts";

/** Pages by their numbers, which begin with 1. */
export interface Pages {
  readonly pageSize: number;
  /** The bytes of each page that SQLite uses. */
  readonly usableSize: number;
  readonly pageCount: number;
  /** @throws PageDamage where there is no such page. */
  page(pageNumber: number): Buffer;
}

/**
 * The pages of a database file, read without SQLite and without what lies in its write-ahead log.
 * Closing it drops every lock that this process has on the same file: it is for files that the process
 * has no connection to, and for copies.
 */
export class PageFile implements Pages, Disposable {
  readonly pageSize: number;
  readonly usableSize: number;
  readonly pageCount: number;
  readonly sizeBytes: number;
  readonly #descriptor: number;
  readonly #header: DatabaseHeader | undefined;

  /**
   * @param assumed for a file whose header is not to be trusted; zeros then stand for what is missing
   *   of the last page.
   * @throws PageDamage where nothing is assumed and the file has no header of a database.
   * @throws NodeJS.ErrnoException where it cannot be read.
   */
  constructor(path: string, assumed?: { pageSize: number; usableSize: number }) {
    this.#descriptor = openSync(path, "r");
    try {
      this.sizeBytes = fstatSync(this.#descriptor).size;
      if (assumed === undefined) this.#header = parseDatabaseHeader(this.#read(0, DATABASE_HEADER_BYTES));
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    }
    const { pageSize, usableSize } = this.#header ?? assumed!;
    this.pageSize = pageSize;
    this.usableSize = usableSize;
    const pages = this.sizeBytes / pageSize;
    this.pageCount = assumed === undefined ? Math.floor(pages) : Math.ceil(pages);
  }

  /** @throws PageDamage where the size of the pages was assumed, and not read from it. */
  get header(): DatabaseHeader {
    if (this.#header === undefined) throw new PageDamage("The file was opened without its header.");
    return this.#header;
  }

  page(pageNumber: number): Buffer {
    if (!(pageNumber >= 1 && pageNumber <= this.pageCount))
      throw new PageDamage(`There is no page ${pageNumber}.`);
    const bytes = this.#read((pageNumber - 1) * this.pageSize, this.pageSize);
    if (bytes.length === this.pageSize) return bytes;
    if (this.#header !== undefined) throw new PageDamage(`Page ${pageNumber} is cut off.`);
    return Buffer.concat([bytes], this.pageSize);
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  #read(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    return bytes.subarray(0, readFully(this.#descriptor, bytes, position));
  }
}
