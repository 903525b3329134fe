import { readSync } from "node:fs";

/** Fills a buffer from a place in a file; returns how many bytes there were, fewer at the file's end. */
export function readFully(descriptor: number, bytes: Buffer, position: number): number {
  let filled = 0;
  while (filled < bytes.length) {
    const read = readSync(descriptor, bytes, filled, bytes.length - filled, position + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}
