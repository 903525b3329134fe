import { closeSync, openSync, readSync, statSync } from "node:fs";

/** What the index of a write-ahead log says of the log, as the last process that wrote it left it. */
export interface LogIndex {
  /** The salts of the log's round: 16 hexadecimal digits. */
  readonly salts: string;
  /** How many frames of the log are committed. */
  readonly frames: number;
  /** How many of those are in the database file already. */
  readonly foldedFrames: number;
  /** The checksum of the last committed frame: 16 hexadecimal digits, as the frame has it. */
  readonly lastChecksum: string;
}

const BYTES = 136;
const HEADER_BYTES = 48;
const FORMAT_VERSION = 3_007_000;

/**
 * Reads a `-shm` file: https://www.sqlite.org/walformat.html#the_wal_index_file_format. It is never
 * synced, so it is evidence only while the machine has not restarted since.
 *
 * @returns `undefined` where there is none, or none that can be relied on.
 */
export function readLogIndex(path: string): LogIndex | undefined {
  const index = parseLogIndex(path);
  return index !== undefined && isOfThisStart(path) ? index : undefined;
}

/** Whether a log holds changes, as its index says and can be relied on, that are not in the database file. */
export function tellsOfUnfolded(path: string): boolean {
  // In this order: how long the machine runs takes longer to ask than the index to read.
  return hasUnfolded(parseLogIndex(path)) && isOfThisStart(path);
}

function parseLogIndex(path: string): LogIndex | undefined {
  const bytes = readStart(path);
  if (bytes === undefined) return undefined;
  // In the byte order of the machine; of two copies that differ, one is only half written.
  const number = (at: number): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, LITTLE);
  const copies = bytes.subarray(0, HEADER_BYTES).equals(bytes.subarray(HEADER_BYTES, 2 * HEADER_BYTES));
  if (!copies || number(0) !== FORMAT_VERSION || bytes[12] !== 1) return undefined;
  const checksum = Buffer.alloc(8);
  checksum.writeUInt32BE(number(24), 0);
  checksum.writeUInt32BE(number(28), 4);
  return {
    salts: bytes.toString("hex", 32, 40),
    frames: number(16),
    foldedFrames: number(96),
    lastChecksum: checksum.toString("hex"),
  };
}

function isOfThisStart(path: string): boolean {
  const startedAt = Date.now() - process.getBuiltinModule("node:os").uptime() * 1000;
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && found.mtimeMs >= startedAt + 1000;
}

function readStart(path: string): Buffer | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    // Taken away by whoever was the last to close the registry.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const bytes = Buffer.alloc(BYTES);
    return readSync(descriptor, bytes, 0, BYTES, 0) < BYTES ? undefined : bytes;
  } finally {
    closeSync(descriptor);
  }
}

/** Whether a log holds changes, as its index says, that are not in the database file. */
export function hasUnfolded(index: LogIndex | undefined): boolean {
  return index !== undefined && index.foldedFrames < index.frames;
}

const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
