import {
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  closeSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { LegacyStoreError } from "./legacy-store-error.ts";

/** The files that belong to one SQLite database beside it, by the end of their names. */
export const DATABASE_COMPANIONS = ["-wal", "-journal"] as const;
const ATTEMPTS = 5;
const PAUSE_MS = 200;

/** A copy of a database that can be opened without touching the original. */
export interface ScratchCopy extends Disposable {
  readonly path: string;
  /** Throws when the original was changed since it was copied. */
  assertUnchanged(): void;
}

/**
 * Copies a database of the old program, with its journal or write-ahead log, to a folder of its own.
 *
 * Opening it in place would not do. SQLite may roll a journal back or leave `-shm` beside it; and the
 * old program dies (SIGABRT in a destructor) when it commits while anyone holds a read lock. So no lock
 * is taken: the copy counts when nothing changed from before it to after it.
 *
 * @throws LegacyStoreError `unreadable`, `changed` when the old program keeps writing.
 */
export function scratchCopy(path: string): ScratchCopy {
  const folder = mkdtempSync(join(tmpdir(), "cortex-migrate-"));
  const copy = join(folder, basename(path));
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (attempt > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
      const before = stateOf(path);
      for (const end of ["", ...DATABASE_COMPANIONS]) {
        rmSync(copy + end, { force: true });
        if (existsSync(path + end)) copyFileSync(path + end, copy + end, constants.COPYFILE_FICLONE);
      }
      if (stateOf(path) !== before) continue;
      return {
        path: copy,
        assertUnchanged() {
          if (stateOf(path) !== before) throw new LegacyStoreError("changed", changed(path));
        },
        [Symbol.dispose]() {
          rmSync(folder, { recursive: true, force: true });
        },
      };
    }
    throw new LegacyStoreError("changed", changed(path));
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    if (error instanceof LegacyStoreError) throw error;
    const why = (error as Error).message;
    throw new LegacyStoreError("unreadable", `${path} cannot be read (${why}).`, { cause: error });
  }
}

// Sizes, times and the header with SQLite's change counter.
function stateOf(path: string): string {
  const stats = ["", ...DATABASE_COMPANIONS].map((end) => {
    const found = statSync(path + end, { throwIfNoEntry: false, bigint: true });
    return found === undefined ? "-" : `${found.ino} ${found.size} ${found.mtimeNs}`;
  });
  const head = Buffer.alloc(100);
  const descriptor = openSync(path, "r");
  try {
    readSync(descriptor, head, 0, head.length, 0);
  } finally {
    closeSync(descriptor);
  }
  return [...stats, head.toString("hex")].join("|");
}

function changed(path: string): string {
  return `${path} is being changed by another program. Stop the old program and run again.`;
}
