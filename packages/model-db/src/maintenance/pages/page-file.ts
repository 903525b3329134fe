import { closeSync, fstatSync, openSync, readSync } from "node:fs";

import { DATABASE_HEADER_BYTES, parseDatabaseHeader, type DatabaseHeader } from "./database-header.ts";
import { PageDamage } from "./page-damage.ts";

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
  readonly header: DatabaseHeader;
  readonly pageSize: number;
  readonly usableSize: number;
  readonly pageCount: number;
  readonly sizeBytes: number;
  readonly #descriptor: number;

  /**
   * @throws PageDamage where the file has no header of a database.
   * @throws NodeJS.ErrnoException where it cannot be read.
   */
  constructor(path: string) {
    this.#descriptor = openSync(path, "r");
    try {
      this.sizeBytes = fstatSync(this.#descriptor).size;
      this.header = parseDatabaseHeader(this.#read(0, DATABASE_HEADER_BYTES));
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    }
    this.pageSize = this.header.pageSize;
    this.usableSize = this.header.usableSize;
    this.pageCount = Math.floor(this.sizeBytes / this.pageSize);
  }

  page(pageNumber: number): Buffer {
    if (!(pageNumber >= 1 && pageNumber <= this.pageCount))
      throw new PageDamage(`There is no page ${pageNumber}.`);
    const bytes = this.#read((pageNumber - 1) * this.pageSize, this.pageSize);
    if (bytes.length < this.pageSize) throw new PageDamage(`Page ${pageNumber} is cut off.`);
    return bytes;
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  #read(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const read = readSync(this.#descriptor, bytes, filled, length - filled, position + filled);
      if (read === 0) break;
      filled += read;
    }
    return bytes.subarray(0, filled);
  }
}
