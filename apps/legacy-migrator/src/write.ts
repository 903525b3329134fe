import { writeSync } from "node:fs";

import { reasonOf } from "./reason-of.ts";
import { ReportError } from "./report-spool.ts";

/**
 * Writes to standard output or standard error, all of it, at once. Where a message cannot be said, there is
 * nowhere to say that.
 *
 * @throws ReportError when standard output takes no more.
 */
export function write(descriptor: 1 | 2, text: string | Buffer): void {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EAGAIN") {
        // Whoever read has left: what was to be done is done all the same.
        if (code === "EPIPE" || descriptor === 2) return;
        throw new ReportError(`Standard output cannot be written: ${reasonOf(error)}.`, { cause: error });
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/**
 * Writes to standard output what came of something that is done.
 *
 * @param done what to say of it, as sentences, when standard output takes no more.
 * @throws ReportError
 */
export function writeOutcome(pieces: Iterable<string | Buffer>, done: string): void {
  try {
    for (const piece of pieces) write(1, piece);
  } catch (error) {
    if (!(error instanceof ReportError)) throw error;
    throw new ReportError(`${done} ${error.message}`, { cause: error });
  }
}
