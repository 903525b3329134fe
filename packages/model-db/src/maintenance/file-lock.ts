import { truncateSync } from "node:fs";

import Database from "better-sqlite3";

import { isBusy, isNoDatabase, toRegistryError } from "../database/sqlite/errors.ts";
import { RegistryError } from "../errors.ts";

/**
 * Takes something for oneself, of which a file is the sign, until this is disposed of or the process ends
 * in whatever way. The file is made where there is none, and stays: were it removed, who has just opened it
 * and who makes another would both have it.
 *
 * @param path of the file, in a folder that is there.
 * @param describe what to say when another process has it; it is named in a word or two, such as
 *   `process 4711`.
 * @throws RegistryError `database_busy` when another process has it, `read_only`, `disk_full`, `io_error`.
 */
export function lockFile(path: string, describe: (holder: string) => string): Disposable {
  try {
    return take(path, describe);
  } catch (error) {
    if (!isNoDatabase(error)) throw error;
    // The power was cut while it was made, and nobody who had it is there any more.
    truncateSync(path);
    return take(path, describe);
  }
}

function take(path: string, describe: (holder: string) => string): Disposable {
  let file: Database.Database | undefined;
  try {
    // A database, for SQLite's lock on it: the system takes that back from whoever dies.
    file = new Database(path, { timeout: 0 });
    file.exec(`PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE; PRAGMA user_version = ${process.pid}; COMMIT`);
    file.exec("BEGIN IMMEDIATE");
    const held = file;
    return { [Symbol.dispose]: () => void held.close() };
  } catch (error) {
    const failure = isBusy(error)
      ? new RegistryError("database_busy", describe(holderOf(file!)), { cause: error })
      : toRegistryError(error, path);
    file?.close();
    throw failure;
  }
}

function holderOf(file: Database.Database): string {
  try {
    return `process ${String(file.pragma("user_version", { simple: true }))}`;
  } catch {
    // It is just being written.
    return "another process";
  }
}
