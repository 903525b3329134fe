import { join } from "node:path";

import Database from "better-sqlite3";

import { isBusy } from "../database/sqlite/errors.ts";
import { RegistryError } from "../errors.ts";
import { toFileError } from "./file-errors.ts";

/**
 * Takes a backup folder for oneself: no other process writes to its log until this is disposed of or
 * the process ends, however it does.
 *
 * @throws RegistryError `database_busy` when another process has it, `read_only`, `io_error`.
 */
export function lockFolder(folder: string): Disposable {
  const path = join(folder, "follow.lock");
  let file: Database.Database | undefined;
  try {
    // An empty database, for SQLite's lock on it: the system takes that back from whoever dies.
    file = new Database(path, { timeout: 0 });
    file.exec("PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE");
    const held = file;
    return { [Symbol.dispose]: () => void held.close() };
  } catch (error) {
    file?.close();
    if (!isBusy(error)) throw toFileError(error, path);
    throw new RegistryError(
      "database_busy",
      `Another process follows into ${folder} already. Let it go on, or end it first.`,
      { cause: error },
    );
  }
}
