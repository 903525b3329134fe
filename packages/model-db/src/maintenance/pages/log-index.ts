import { closeSync, existsSync, openSync } from "node:fs";
import { endianness } from "node:os";

import { readFully } from "./read-fully.ts";

/** What the processes that had a database open knew of its write-ahead log. */
export interface LogIndex {
  /** The salts of the log's round: 16 hexadecimal digits. */
  readonly salts: string;
  /** How many of its frames were committed. */
  readonly committedFrames: number;
  /** How many of those are in the database file, too. */
  readonly copiedFrames: number;
}

const HEADER_BYTES = 48;

/**
 * Reads the index beside a write-ahead log (`-shm`), which a process leaves there when it dies. It is
 * never newer than the log, so a log that has less than it says has lost commits.
 * https://www.sqlite.org/walformat.html#the_wal_index_file_format
 *
 * @returns `undefined` where there is none, or one that is not whole.
 */
export function readLogIndex(path: string): LogIndex | undefined {
  if (!existsSync(path)) return undefined;
  const bytes = Buffer.alloc(2 * HEADER_BYTES + 4);
  const descriptor = openSync(path, "r");
  try {
    if (readFully(descriptor, bytes, 0) < bytes.length) return undefined;
  } finally {
    closeSync(descriptor);
  }
  // Both copies of the header are the same unless somebody died while writing them.
  const header = bytes.subarray(0, HEADER_BYTES);
  if (!header.equals(bytes.subarray(HEADER_BYTES, 2 * HEADER_BYTES)) || header[12] !== 1) return undefined;
  // It is in the order of the machine's own bytes, except for the salts.
  const number = (at: number): number =>
    endianness() === "LE" ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  return {
    salts: header.toString("hex", 32, 40),
    committedFrames: number(16),
    copiedFrames: number(2 * HEADER_BYTES),
  };
}
