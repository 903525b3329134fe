import { mkdirSync } from "node:fs";
import { join } from "node:path";

// oxlint-disable-next-line no-restricted-imports -- for its lock alone, which no program outlives
import Database from "better-sqlite3";

import { MisuseError } from "../misuse-error.ts";

/** The right to bridge a file. */
interface BridgeLock extends Disposable {
  /** What a bridge keeps for itself, beside the file. */
  readonly folder: string;
}

/**
 * Takes the right to bridge a file, until it is disposed of or the process ends in whatever way: a lock on
 * a small database, which the system gives back by itself.
 *
 * @throws MisuseError where another process holds it.
 */
export function lockBridge(list: string): BridgeLock {
  const folder = `${list}.bridge`;
  mkdirSync(folder, { recursive: true });
  const database = new Database(join(folder, "lock"), { timeout: 0 });
  try {
    database.pragma("journal_mode = MEMORY");
    database.exec("BEGIN IMMEDIATE");
    database.pragma(`user_version = ${process.pid}`);
    database.exec("COMMIT; BEGIN IMMEDIATE");
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined || !/^SQLITE_(?:BUSY|LOCKED)/.test(code)) throw error;
    const holder = holderOf(database);
    database.close();
    throw new MisuseError(
      `Another bridge${holder} keeps ${list} already. One at a time: stop that one first.`,
      { cause: error },
    );
  }
  return { folder, [Symbol.dispose]: () => database.close() };
}

function holderOf(database: Database.Database): string {
  try {
    return ` (process ${String(database.pragma("user_version", { simple: true }))})`;
  } catch {
    return "";
  }
}
