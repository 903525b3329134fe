import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";

import type Database from "better-sqlite3";

import { isNoDatabase, toRegistryError } from "../database/sqlite/errors.ts";
import { passGate, type Comparison } from "../database/sqlite/gate.ts";
import { openConnection } from "../database/sqlite/open-connection.ts";
import { noteOpen } from "../database/sqlite/open-files.ts";
import { readSchemaVersion } from "../database/sqlite/schema-version.ts";
import { isRegistryError, RegistryError } from "../errors.ts";
import { SCHEMA_VERSION } from "../migrations/schema-version.ts";
import { defaultBackupFolder } from "./backup-folder.ts";
import { backupNotePath } from "./beside-registry.ts";
import {
  checkEventIndex,
  checkNames,
  checkSearchPages,
  checkSearchRows,
  checkSearchText,
  checkTags,
} from "./checks/derived.ts";
import { checkEventIds, checkHistory } from "./checks/history.ts";
import { checkBackup, checkBackupNote, checkConfigs, checkFiles, checkLeases } from "./checks/outside.ts";
import { checkChecksums } from "./checks/rows.ts";
import { checkReferences, checkStructure } from "./checks/structure.ts";
import { finding, type Finding, type Look } from "./findings.ts";

const BUSY_TIMEOUT_MS = 5000;

/** How to check; whatever is left out does not happen. */
export interface CheckOptions {
  /** Everything: all rows and checksums, the history, the search index, and the models' files. */
  readonly full?: boolean;
  /** Is told what is looked at, and how many rows of it so far. */
  readonly onProgress?: (step: string, rows: number) => void;
}

/** A part of a check, in one read transaction. */
interface Step {
  readonly name: string;
  readonly look: (connection: Database.Database) => Iterable<Look> | AsyncIterable<Look>;
}

const QUICK: readonly Step[] = [
  { name: "file", look: (connection) => checkStructure(connection, false) },
  { name: "names", look: checkNames },
  { name: "labels", look: checkTags },
  { name: "search index", look: checkSearchRows },
  { name: "models", look: (connection) => checkChecksums(connection, "model") },
  { name: "leases", look: checkLeases },
  { name: "backup", look: ({ name }) => checkBackupNote(name) },
];

const FULL: readonly Step[] = [
  { name: "file", look: (connection) => checkStructure(connection, true) },
  ...QUICK.slice(1),
  { name: "references", look: checkReferences },
  { name: "files of models", look: (connection) => checkChecksums(connection, "model_file") },
  { name: "events", look: (connection) => checkChecksums(connection, "model_event") },
  { name: "order of events", look: checkEventIds },
  { name: "index of events", look: checkEventIndex },
  { name: "history", look: checkHistory },
  { name: "search pages", look: checkSearchPages },
  { name: "search text", look: checkSearchText },
  { name: "files on disk", look: checkFiles },
  { name: "configurations", look: checkConfigs },
  { name: "backup's content", look: ({ name }) => checkBackup(name) },
];

/**
 * Looks whether a registry is what was written to it, while others use it; nothing is changed. What
 * cannot be read is a finding, and the rest is looked at all the same.
 *
 * @returns what is not as it should be, as it is found; nothing where all is well.
 * @throws RegistryError `not_found`, `not_a_registry`, `schema_too_old`, `schema_too_new`, `read_only`.
 */
export async function* checkRegistry(
  location: string,
  options: CheckOptions = {},
): AsyncGenerator<Finding, undefined> {
  const { full = false, onProgress } = options;
  const path = resolve(location);
  let compare: Comparison | undefined;
  try {
    compare = await passGate(path, "read");
  } catch (error) {
    // To open it would be to change what tells of the damage: SQLite makes a log anew, or throws it away.
    yield evidence(error);
    return;
  }
  if (!existsSync(path)) throw new RegistryError("not_found", `There is no registry at ${path}.`);
  let connection: Database.Database;
  try {
    connection = open(path);
  } catch (error) {
    if (!isDamage(error, path)) throw error;
    yield finding("unreadable", "file", (error as Error).message);
    return;
  }
  // Who looks at the files by hand would drop the locks of this connection.
  const forget = noteOpen(path);
  let isWhole = true;
  try {
    try {
      compare?.(connection);
    } catch (error) {
      isWhole = false;
      yield evidence(error);
    }
    const version = readSchemaVersion(connection, "read");
    if (version < SCHEMA_VERSION) {
      // To bring a damaged file up to date fails, so that its damage is to be found before.
      for await (const found of take(FULL[0]!, connection, onProgress)) {
        isWhole = false;
        yield found;
      }
      if (isWhole) throw tooOld(path, version);
      return;
    }
    for (const step of full ? FULL : QUICK) yield* take(step, connection, onProgress);
  } finally {
    connection.close();
    forget();
  }
}

async function* take(
  { name, look }: Step,
  connection: Database.Database,
  onProgress: CheckOptions["onProgress"],
): AsyncGenerator<Finding, undefined> {
  let rows = 0;
  onProgress?.(name, 0);
  try {
    connection.exec("BEGIN");
    for await (const found of look(connection)) {
      if (typeof found !== "number") {
        yield found;
        continue;
      }
      onProgress?.(name, (rows += found));
      // Whoever else this process serves goes on in between.
      await setImmediate();
    }
  } catch (error) {
    if (!isSqliteError(error) && !isRegistryError(error)) throw error;
    const said = toRegistryError(error, connection.name);
    if (isRegistryError(said) && ["database_busy", "read_only", "disk_full"].includes(said.code)) throw said;
    yield finding("unreadable", name, `The ${name} cannot be looked at: ${(error as Error).message}.`);
  } finally {
    if (connection.inTransaction) connection.exec("ROLLBACK");
  }
}

function open(path: string): Database.Database {
  const connection = openConnection(path, { readonly: true, busyTimeoutMs: BUSY_TIMEOUT_MS });
  try {
    const version = readSchemaVersion(connection, "read");
    if (version === 0) throw new RegistryError("not_found", `There is no registry in ${path}: it is empty.`);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function tooOld(path: string, version: number): RegistryError {
  return new RegistryError(
    "schema_too_old",
    `${path} has schema ${version}, older than ${SCHEMA_VERSION}. Open it to write to bring it up to date.`,
  );
}

function evidence(error: unknown): Finding {
  if (isRegistryError(error) && error.code === "database_damaged") {
    return finding("evidence", "file", error.message);
  }
  throw error;
}

// What is no registry is another program's file, unless something beside it says that it was one.
function isDamage(error: unknown, path: string): boolean {
  if (!isRegistryError(error)) return false;
  if (error.code === "database_damaged" || error.code === "io_error") return true;
  const witnesses = [backupNotePath(path), join(defaultBackupFolder(path), "backup.json"), `${path}-wal`];
  return (error.code === "not_found" || isNoDatabase(error)) && witnesses.some(existsSync);
}

function isSqliteError(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE");
}
