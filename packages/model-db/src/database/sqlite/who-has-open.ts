import { readFileSync, statSync } from "node:fs";

/**
 * Whether another process has a database in write-ahead mode open: each holds a lock on byte 128 of its
 * `-shm` (https://www.sqlite.org/walformat.html#wal_locks). Told by the kernel's list of locks, on Linux;
 * `undefined` elsewhere, and what a container hides is not seen.
 */
export function othersHaveOpen(path: string): boolean | undefined {
  const shm = statSync(`${path}-shm`, { throwIfNoEntry: false });
  if (shm === undefined) return false;
  try {
    // "1: POSIX  ADVISORY  READ 4711 08:01:1234 128 128": process, device and inode, first and last byte.
    return readFileSync("/proc/locks", "utf8")
      .split("\n")
      .some((line) => {
        const [, , , , pid, place = "", first] = line.trim().split(/\s+/);
        return first === "128" && place.endsWith(`:${shm.ino}`) && Number(pid) !== process.pid;
      });
  } catch {
    return undefined;
  }
}
