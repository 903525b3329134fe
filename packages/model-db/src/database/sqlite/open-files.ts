import { statSync, type BigIntStats } from "node:fs";

// By a symbol that every copy of this package in the process knows.
const KEY = Symbol.for("@cortex/model-db: open files");
type Counts = Map<string, number>;
const counts: Counts = ((globalThis as { [KEY]?: Counts })[KEY] ??= new Map());

/**
 * Which registries this process has open. Closing any descriptor of a file drops the locks that the
 * whole process holds on it (https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_),
 * so that a file is looked at by hand only while it is not among them.
 */
export function isOpenHere(path: string): boolean {
  const key = fileKey(path);
  return key !== undefined && counts.has(key);
}

/** Notes that a registry is open, until the function that is returned is called. */
export function noteOpen(path: string): () => void {
  const key = fileKey(path);
  if (key === undefined) return () => undefined;
  counts.set(key, (counts.get(key) ?? 0) + 1);
  let noted = true;
  return () => {
    if (!noted) return;
    noted = false;
    const left = counts.get(key)! - 1;
    if (left === 0) counts.delete(key);
    else counts.set(key, left);
  };
}

/** What tells a file from every other, whatever it is called. */
export type FileIdentity = Pick<BigIntStats, "dev" | "ino">;

/** Which file is at a path; `undefined` where there is none. */
export function fileAt(path: string): FileIdentity | undefined {
  return statSync(path, { throwIfNoEntry: false, bigint: true });
}

/** Whether both are the same file, or both none. */
export function isSameFile(one: FileIdentity | undefined, other: FileIdentity | undefined): boolean {
  return one?.ino === other?.ino && one?.dev === other?.dev;
}

/** {@link fileAt} as a text. */
export function fileKey(path: string): string | undefined {
  const found = fileAt(path);
  return found && `${found.dev}:${found.ino}`;
}
