import {
  closeSync,
  constants,
  ftruncateSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";

import { isRegistryError } from "../../errors.ts";

const { O_CREAT, O_WRONLY } = constants;
// A deletion writes some 20 pages to the log; this much gives room to a hundred.
const BALLAST_BYTES = 1024 * 1024;
const RELEASED_BYTES = 128 * 1024;

/**
 * Keeps `<registry>.ballast`, a file whose room is given up when the disk is full, so that a registry
 * can still be opened and models be taken out of it: SQLite needs room for both. Without room for it, or
 * the right to make it, there is none.
 */
export function keepBallast(registry: string): void {
  const path = ballastPath(registry);
  const there = sizeOf(path);
  if (there >= BALLAST_BYTES) return;
  try {
    const file = openSync(path, O_WRONLY | O_CREAT);
    try {
      fill(file, there);
    } catch (error) {
      // What there was is kept.
      ftruncateSync(file, there);
      throw error;
    } finally {
      closeSync(file);
    }
  } catch {
    if (there === 0) rmSync(path, { force: true });
  }
}

function fill(file: number, from: number): void {
  const { randomFillSync } = process.getBuiltinModule("node:crypto");
  // Zeros would take no room on a file system that compresses.
  const bytes = randomFillSync(Buffer.allocUnsafe(BALLAST_BYTES - from));
  for (let done = 0; done < bytes.length;) {
    done += writeSync(file, bytes, done, bytes.length - done, from + done);
  }
}

/**
 * Tries work again for as long as the disk is full and something of the ballast is left.
 *
 * @param clearLog lets the log begin anew, within the room that it has.
 */
export async function makingRoom<T>(
  registry: string,
  work: () => Promise<T>,
  clearLog: () => void,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isDiskFull(error) || (attempt > 0 && !releaseBallast(registry))) throw error;
      clearLog();
    }
  }
}

/** Gives up a part of the ballast; false where nothing is left of it. */
export function releaseBallast(registry: string): boolean {
  const path = ballastPath(registry);
  const sizeBytes = sizeOf(path);
  if (sizeBytes === 0) return false;
  try {
    truncateSync(path, Math.max(0, sizeBytes - RELEASED_BYTES));
    return true;
  } catch {
    return false;
  }
}

/** Removes the ballast of a registry that was there before, and is gone. */
export function dropBallast(registry: string): void {
  try {
    rmSync(ballastPath(registry), { force: true });
  } catch {
    // Where no file can be, there is none.
  }
}

/** Whether something failed because there is no room on the disk. */
export function isDiskFull(error: unknown): boolean {
  return isRegistryError(error) && error.code === "disk_full";
}

/** The file that keeps room for a registry. */
export function ballastPath(registry: string): string {
  return `${registry}.ballast`;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
