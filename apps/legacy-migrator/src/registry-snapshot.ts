import { existsSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";

import { APPLICATION_ID } from "@cortex/model-db";
import { renameDurably, syncPath, takeOverRights } from "@cortex/model-db/durable-files";
// oxlint-disable-next-line no-restricted-imports -- the file as a whole, never a record: see below
import Database from "better-sqlite3";

import { copyWithRights } from "./copy-with-rights.ts";

// The library owns the registry's file, and everything that goes through its records goes through it.
// Copying the file as a whole is not of that kind: a plain copy of the file and its write-ahead log is
// torn when anyone writes meanwhile, and only SQLite itself can take or put back one that is not.

const BUSY_TIMEOUT_MS = 5000;

/** A registry that cannot be copied or replaced; the message says why and what to do. */
export class SnapshotError extends Error {
  override readonly name = "SnapshotError";
}

/** The registry's file is no database, or a damaged one. */
export class BrokenRegistryError extends SnapshotError {}

/**
 * Writes a copy of the registry as it is at one moment, checked and through to the disk. Others may go
 * on reading and writing.
 *
 * @param to must not exist.
 * @throws SnapshotError; BrokenRegistryError where there is nothing that could be copied as a database.
 */
export function takeSnapshot(registryPath: string, to: string): void {
  const found = statSync(registryPath);
  if (found.size === 0) {
    copyWithRights(registryPath, to);
    return;
  }
  try {
    const registry = new Database(registryPath, {
      readonly: true,
      fileMustExist: true,
      timeout: BUSY_TIMEOUT_MS,
    });
    try {
      registry.prepare("VACUUM INTO ?").run(to);
    } finally {
      registry.close();
    }
    checkDatabase(to);
    takeOverRights(to, found);
    syncPath(to);
  } catch (error) {
    rmSync(to, { force: true });
    const { code = "", message } = error as NodeJS.ErrnoException;
    const Failure = /^SQLITE_(?:NOTADB|CORRUPT)/.test(code) ? BrokenRegistryError : SnapshotError;
    throw new Failure(`${registryPath} cannot be backed up (${message}).`, { cause: error });
  }
}

/** The id of the newest event in a copy; 0 where it has none, or is no registry. */
export function newestEventOf(snapshot: string): number {
  if (statSync(snapshot).size === 0) return 0;
  const copy = new Database(snapshot, { readonly: true, fileMustExist: true });
  try {
    if (copy.pragma("application_id", { simple: true }) !== APPLICATION_ID) return 0;
    return copy.prepare("SELECT coalesce(max(event_id), 0) FROM model_event").pluck().get() as number;
  } finally {
    copy.close();
  }
}

/**
 * Makes the registry what a copy says, in one transaction: whoever reads meanwhile sees the old one or
 * the new one, and when it is interrupted the old one stays.
 *
 * @throws SnapshotError where it is as it was; BrokenRegistryError where the disk failed to keep the new one.
 */
export async function putBackSnapshot(snapshot: string, registryPath: string): Promise<void> {
  if (!existsSync(registryPath)) {
    for (const end of ["-wal", "-shm", "-journal", ".restoring"]) rmSync(registryPath + end, { force: true });
    dropBallast(registryPath);
    copyWithRights(snapshot, `${registryPath}.restoring`);
    renameDurably(`${registryPath}.restoring`, registryPath);
    return;
  }
  if (statSync(snapshot).size === 0) {
    removeRegistry(registryPath);
    copyWithRights(snapshot, registryPath);
    return;
  }
  const source = new Database(snapshot, { readonly: true, fileMustExist: true });
  try {
    await source.backup(registryPath);
    // What the old program has again needs none.
    if (source.pragma("application_id", { simple: true }) !== APPLICATION_ID) dropBallast(registryPath);
  } catch (error) {
    const message = `${registryPath} cannot be put back (${(error as Error).message}). Stop the programs that use it and run again.`;
    throw new SnapshotError(message, { cause: error });
  } finally {
    source.close();
  }
  try {
    checkDatabase(registryPath);
  } catch (error) {
    const message = `${registryPath} was put back and is damaged (${(error as Error).message}). Check the disk and run again.`;
    throw new BrokenRegistryError(message, { cause: error });
  }
}

/**
 * Removes a registry that did not exist before, unless somebody has it open.
 *
 * @throws SnapshotError
 */
export function removeRegistry(registryPath: string): void {
  if (!existsSync(registryPath)) {
    dropBallast(registryPath);
    return;
  }
  try {
    const registry = new Database(registryPath, { fileMustExist: true, timeout: 1000 });
    try {
      // Leaving write-ahead mode needs the file for oneself: the one way to know that nobody has it open.
      if (registry.pragma("journal_mode = DELETE", { simple: true }) !== "delete")
        throw new Error("it is in use");
    } finally {
      registry.close();
    }
  } catch (error) {
    const message = `${registryPath} cannot be removed (${(error as Error).message}). Stop the programs that use it and run again.`;
    throw new SnapshotError(message, { cause: error });
  }
  dropBallast(registryPath);
  for (const end of ["-wal", "-shm", ""]) rmSync(registryPath + end, { force: true });
}

// An empty file with a registry's ballast beside it is one that has lost its content.
function dropBallast(registryPath: string): void {
  rmSync(`${registryPath}.ballast`, { force: true });
}

/**
 * Moves a broken registry, with what lies beside it, out of the way.
 *
 * @param to the path of the file itself; its companions get the same name with their ends.
 */
export function moveBrokenRegistry(registryPath: string, to: string): void {
  // The file last: until then, the next run finds it broken again and goes on here.
  for (const end of ["-journal", "-wal", "-shm", ""]) {
    if (existsSync(registryPath + end)) renameSync(registryPath + end, to + end);
  }
  syncPath(dirname(to));
  syncPath(dirname(registryPath));
}

function checkDatabase(path: string): void {
  const database = new Database(path, { readonly: true, fileMustExist: true });
  try {
    const result = String(database.pragma("quick_check(1)", { simple: true }));
    if (result !== "ok") throw new Error(result);
  } finally {
    database.close();
  }
}
