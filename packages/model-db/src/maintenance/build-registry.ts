import { rmSync } from "node:fs";
import { setImmediate } from "node:timers/promises";

import type Database from "better-sqlite3";

import { toRegistryError } from "../database/sqlite/errors.ts";
import { migrateOneStep } from "../database/sqlite/migrate.ts";
import { enableWal, openConnection } from "../database/sqlite/open-connection.ts";
import type { Model, ModelFile } from "../domain/model.ts";
import { RegistryError } from "../errors.ts";
import { SCHEMA_VERSION } from "../migrations/schema-version.ts";
import type { EventTable } from "../schema/event.ts";
import { toFileRow } from "../schema/file.ts";
import { toModelValues } from "../schema/model.ts";
import { carryOver, type CarriedOver } from "./carry-over.ts";
import { checkRegistry } from "./check.ts";
import { syncPath } from "./durable-files.ts";

/** What a registry consists of. */
export interface RegistryContent {
  /** 32 hexadecimal digits. */
  readonly registryId: string;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** In the order of registration, with names that are unique among them. */
  readonly models: Iterable<{ model: Model; files: readonly ModelFile[] }>;
  /** As they are stored, in the order of their ids. */
  readonly events: Iterable<EventTable>;
  /** Files to take from what they hold beside a registry, the best first. */
  readonly carriedFrom: readonly string[];
}

const ROWS_AT_ONCE = 1000;
const BUSY_TIMEOUT_MS = 5000;
// Indexes are filled out of their order, and all in one transaction.
const CACHE_KIB = 262_144;

/**
 * Writes a registry with a given content into a new file, compares it with its checksums, and waits for
 * the disk. What an interrupted run has left there goes first.
 *
 * @param path of the file, in which nobody looks for a registry.
 * @returns what was taken along beside that.
 * @throws RegistryError `database_damaged` where the disk did not keep what was written, `disk_full`,
 *   `read_only`, `io_error`.
 */
export async function buildRegistry(
  path: string,
  content: RegistryContent,
  onProgress: (what: string, done: number) => void = () => undefined,
): Promise<CarriedOver> {
  removeDatabase(path);
  let carried: CarriedOver;
  const connection = openConnection(path, { readonly: false, busyTimeoutMs: BUSY_TIMEOUT_MS });
  try {
    enableWal(connection, BUSY_TIMEOUT_MS);
    connection.pragma(`cache_size = -${CACHE_KIB}`);
    connection.exec("BEGIN IMMEDIATE");
    while (migrateOneStep(connection, SCHEMA_VERSION));
    connection
      .prepare("UPDATE registry SET registry_id = ?, created_at = ?")
      .run(content.registryId, content.createdAt);
    await insertModels(connection, content.models, onProgress);
    await insertEvents(connection, content.events, onProgress);
    carried = carryOver(connection, content.carriedFrom);
    connection.exec("INSERT INTO model_search (rowid, text) SELECT seq, text FROM model_search_text");
    connection.exec("INSERT INTO model_search (model_search) VALUES ('optimize')");
    connection.exec("COMMIT");
  } catch (error) {
    throw toRegistryError(error, path);
  } finally {
    // Folds the log into the file.
    connection.close();
  }
  await verify(path);
  // Of the connection that only read.
  for (const end of ["-wal", "-shm"]) rmSync(path + end, { force: true });
  syncPath(path);
  return carried;
}

/** Removes a database that nobody has open, with what lies beside it. */
export function removeDatabase(path: string): void {
  for (const end of ["", "-wal", "-shm", "-journal"]) rmSync(path + end, { force: true });
}

async function insertModels(
  connection: Database.Database,
  models: RegistryContent["models"],
  onProgress: (what: string, done: number) => void,
): Promise<void> {
  const insertName = connection.prepare("INSERT INTO model_name (name, model_seq) VALUES (?, ?)");
  const insertTag = connection.prepare("INSERT INTO model_tag (model_seq, tag) VALUES (?, ?)");
  let seq = 0;
  for (const { model, files } of models) {
    seq++;
    insert(connection, "model", { seq, ...toModelValues(model) });
    for (const name of new Set([
      model.modelId,
      ...(model.alias === null ? [] : [model.alias]),
      ...model.aliases,
    ])) {
      insertName.run(name, seq);
    }
    for (const tag of model.tags) insertTag.run(seq, tag);
    for (const file of files) insert(connection, "model_file", toFileRow(model.modelId, file));
    onProgress("models written", seq);
    if (seq % ROWS_AT_ONCE === 0) await setImmediate();
  }
}

async function insertEvents(
  connection: Database.Database,
  events: RegistryContent["events"],
  onProgress: (what: string, done: number) => void,
): Promise<void> {
  let count = 0;
  for (const event of events) {
    insert(connection, "model_event", event);
    onProgress("events written", ++count);
    if (count % ROWS_AT_ONCE === 0) await setImmediate();
  }
}

const inserts = new WeakMap<Database.Database, Map<string, Database.Statement>>();

function insert(connection: Database.Database, table: string, row: object): void {
  const known = inserts.get(connection) ?? new Map<string, Database.Statement>();
  inserts.set(connection, known);
  let statement = known.get(table);
  if (statement === undefined) {
    const columns = Object.keys(row);
    const places = columns.map((name) => `@${name}`).join(", ");
    statement = connection.prepare(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${places})`);
    known.set(table, statement);
  }
  statement.run(row);
}

/** @throws RegistryError `database_damaged`. */
async function verify(path: string): Promise<void> {
  for await (const { severity, code, message } of checkRegistry(path, { full: true })) {
    // What the history does not know was not known before.
    if (severity === "damage" && !code.startsWith("history")) throw notKept(path, message);
  }
}

function notKept(path: string, what: string): RegistryError {
  return new RegistryError(
    "database_damaged",
    `${path} was written and is not what was written (${what}). Check the disk and try again.`,
  );
}
