import { closeSync, fstatSync, openSync } from "node:fs";
import { endianness } from "node:os";

import { isPageSize } from "./database-header.ts";
import { PageDamage } from "./page-damage.ts";
import { readFully } from "./read-fully.ts";

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const CHUNK_BYTES = 1024 * 1024;

/** The beginning of a write-ahead log: https://www.sqlite.org/fileformat2.html#the_write_ahead_log */
export interface LogHeader {
  readonly pageSize: number;
  /** The two salts, which every frame of the same round of the log repeats: 16 hexadecimal digits. */
  readonly salts: string;
  /** Whether the header's own checksum holds; without, SQLite takes the log for empty. */
  readonly intact: boolean;
}

/** One page in the log. */
export interface LogFrame {
  /** From 0. */
  readonly index: number;
  readonly pageNumber: number;
  /** How many pages the database has after the commit that ends with this frame; 0 within a transaction. */
  readonly commitPageCount: number;
  /** Those of the round that it is of: 16 hexadecimal digits. */
  readonly salts: string;
  /** Whether that is the round that the header begins: a frame left over from before is not. */
  readonly current: boolean;
  /** Whether SQLite reads it: it and every frame before it are current and have the right checksum. */
  readonly valid: boolean;
  /**
   * Whether its checksum follows from the one that the frame before it says it has: true of what is
   * whole behind a damaged frame, which SQLite does not read.
   */
  readonly whole: boolean;
  /** The checksum that it says it has: 16 hexadecimal digits. */
  readonly checksum: string;
}

/** A write-ahead log, read without SQLite. */
export class WriteAheadLog implements Disposable {
  readonly header: LogHeader;
  readonly sizeBytes: number;
  readonly #descriptor: number;
  readonly #bigEndian: boolean;
  readonly #headerChecksum: Checksum;

  /**
   * @param pageSize the database's, for a log whose header is damaged; else the header's own is taken.
   * @throws PageDamage where the file is no write-ahead log, or an empty one.
   * @throws NodeJS.ErrnoException where it cannot be read.
   */
  constructor(path: string, pageSize?: number) {
    this.#descriptor = openSync(path, "r");
    try {
      this.sizeBytes = fstatSync(this.#descriptor).size;
      const bytes = Buffer.alloc(HEADER_BYTES);
      if (readFully(this.#descriptor, bytes, 0) < HEADER_BYTES) throw new PageDamage("The log is too short.");
      // The lowest bit of the magic number tells in which order the checksums take the bytes.
      this.#bigEndian = (bytes[3]! & 1) === 1;
      const claimed = bytes.readUInt32BE(8);
      const known = bytes.readUInt32BE(0) >>> 1 === 0x377f0682 >>> 1 && bytes.readUInt32BE(4) === 3_007_000;
      const size = known && isPageSize(claimed) ? claimed : pageSize;
      if (size === undefined) throw new PageDamage("The file is no write-ahead log.");
      this.#headerChecksum = { first: 0, second: 0 };
      addToChecksum(this.#headerChecksum, bytes, 0, 24, this.#bigEndian);
      this.header = {
        pageSize: size,
        salts: bytes.toString("hex", 16, 24),
        intact: known && size === claimed && isChecksum(this.#headerChecksum, bytes, 24),
      };
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    }
  }

  /** Every whole frame of the file in its order, those of earlier rounds and behind a damaged one, too. */
  *frames(): Generator<LogFrame> {
    const { pageSize, salts, intact } = this.header;
    const frameBytes = FRAME_HEADER_BYTES + pageSize;
    const count = Math.max(0, Math.floor((this.sizeBytes - HEADER_BYTES) / frameBytes));
    const perChunk = Math.max(1, Math.floor(CHUNK_BYTES / frameBytes));
    const checksum = { ...this.#headerChecksum };
    let valid = intact;
    for (let first = 0; first < count; first += perChunk) {
      const chunk = Buffer.allocUnsafe(Math.min(perChunk, count - first) * frameBytes);
      const filled = readFully(this.#descriptor, chunk, HEADER_BYTES + first * frameBytes);
      for (let at = 0; at + frameBytes <= filled; at += frameBytes) {
        const frame = chunk.subarray(at, at + frameBytes);
        addToChecksum(checksum, frame, 0, 8, this.#bigEndian);
        addToChecksum(checksum, frame, FRAME_HEADER_BYTES, frameBytes, this.#bigEndian);
        const whole = isChecksum(checksum, frame, 16);
        const own = frame.toString("hex", 8, 16);
        const current = own === salts;
        const pageNumber = frame.readUInt32BE(0);
        valid = valid && whole && current && pageNumber > 0;
        yield {
          index: first + at / frameBytes,
          pageNumber,
          commitPageCount: frame.readUInt32BE(4),
          salts: own,
          current,
          valid,
          whole,
          checksum: frame.toString("hex", 16, 24),
        };
        // What follows goes on from what is said here, whether it is right or not.
        checksum.first = frame.readUInt32BE(16);
        checksum.second = frame.readUInt32BE(20);
      }
    }
  }

  /** The page in a frame. @throws PageDamage where there is no such frame. */
  page(index: number): Buffer {
    const { pageSize } = this.header;
    const bytes = Buffer.allocUnsafe(pageSize);
    const at = HEADER_BYTES + index * (FRAME_HEADER_BYTES + pageSize) + FRAME_HEADER_BYTES;
    if (readFully(this.#descriptor, bytes, at) < pageSize)
      throw new PageDamage(`There is no frame ${index}.`);
    return bytes;
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}

interface Checksum {
  first: number;
  second: number;
}

// https://www.sqlite.org/fileformat2.html#checksum_algorithm
function addToChecksum(sum: Checksum, bytes: Buffer, start: number, end: number, bigEndian: boolean): void {
  const at = bytes.byteOffset + start;
  const length = end - start;
  // In the machine's own order, as SQLite writes them, words are read many times faster.
  const own = bigEndian === BIG_ENDIAN_MACHINE && at % 4 === 0;
  const words = own
    ? new Int32Array(bytes.buffer, at, length / 4)
    : Int32Array.from({ length: length / 4 }, (_, index) =>
        bigEndian ? bytes.readInt32BE(start + 4 * index) : bytes.readInt32LE(start + 4 * index),
      );
  let { first, second } = sum;
  for (let index = 0; index < words.length; index += 2) {
    first = (first + words[index]! + second) | 0;
    second = (second + words[index + 1]! + first) | 0;
  }
  sum.first = first >>> 0;
  sum.second = second >>> 0;
}

const BIG_ENDIAN_MACHINE = endianness() === "BE";

function isChecksum({ first, second }: Checksum, bytes: Buffer, at: number): boolean {
  return bytes.readUInt32BE(at) === first && bytes.readUInt32BE(at + 4) === second;
}
