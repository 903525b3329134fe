import { existsSync, readFileSync, statSync, type Stats } from "node:fs";
import { dirname, resolve } from "node:path";

import type Database from "better-sqlite3";

import { invalidInput, RegistryError } from "../../errors.ts";
import { makeFolder } from "../../maintenance/durable-files.ts";
import { withFileErrors } from "../../maintenance/file-errors.ts";
import { SCHEMA_VERSION } from "../../migrations/schema-version.ts";
import type { Engine } from "../engine.ts";
import { machineTime, type MachineTime } from "../machine-time.ts";
import type { Session, WriteSession } from "../query.ts";
import { dropBallast, keepBallast, makingRoom } from "./ballast.ts";
import { needsRollback } from "./errors.ts";
import { passGate } from "./gate.ts";
import { enableWal, openConnection } from "./open-connection.ts";
import { fileAt, isSameFile, noteOpen, type FileIdentity } from "./open-files.ts";
import { readMigrations, readRegistryId, readSchemaVersion } from "./schema-version.ts";
import { SqliteSession } from "./sqlite-session.ts";
import { WriteQueue } from "./write-queue.ts";

export interface SqliteOptions {
  mode: "create" | "write" | "read";
  migrate: boolean;
  busyTimeoutMs: number;
}

/**
 * Opens a registry in one SQLite file. Reads and writes have a connection each, opened at the first
 * use, so that a read never sees what is not yet committed.
 *
 * @throws RegistryError `not_found`, `not_a_registry`, `schema_too_new`, `schema_too_old`,
 *   `read_only`, `disk_full`, `database_busy`, `database_damaged`, `invalid_input`.
 */
export async function openSqlite(location: string, options: SqliteOptions): Promise<Engine> {
  const path = checkPath(location);
  const engine = new SqliteEngine(path, options);
  try {
    await engine.prepare();
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

function checkPath(location: string): string {
  if (
    typeof location !== "string" ||
    location === "" ||
    location.includes("\0") ||
    !location.isWellFormed() ||
    location.length > 4096
  ) {
    throw invalidInput("location", "The registry's location must be the path of a file.");
  }
  if (location === ":memory:" || /^\w+:\/\//.test(location)) {
    throw invalidInput("location", `${location} is no path of a file; a registry lives in one SQLite file.`);
  }
  const path = resolve(location);
  const found = lookAt(path);
  if (found?.isDirectory() === true) {
    throw invalidInput("location", `${path} is a folder; name the registry's file in it.`);
  }
  return path;
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM") {
      throw new RegistryError("read_only", `${path} cannot be reached: check the rights of its folder.`, {
        cause: error,
      });
    }
    throw new RegistryError("invalid_input", `${path} can be no file (${code}).`, {
      field: "location",
      cause: error,
    });
  }
}

// Folds the log into the file as far as can be now: nothing depends on its being done.
function checkpoint(connection: Database.Database, mode: "PASSIVE" | "RESTART"): void {
  try {
    connection.pragma(`wal_checkpoint(${mode})`);
  } catch {
    // On a full disk; whoever waits for room is told by what it does next.
  }
}

// Whether the rollback journal beside a file says that the file was empty before:
// https://www.sqlite.org/fileformat2.html#the_rollback_journal
function wasEmpty(path: string): boolean {
  const header = readFileSync(`${path}-journal`);
  return header.length >= 28 && header.readUInt32BE(16) === 0;
}

// How often a reader looks whether its file is still the registry's.
const LOOK_MS = 100;

class SqliteEngine implements Engine {
  readonly location: string;
  readonly #options: SqliteOptions;
  #readConnection: Database.Database | undefined;
  #reader: SqliteSession | undefined;
  #changeCounter: Database.Statement | undefined;
  #writeConnection: Database.Database | undefined;
  #writer: WriteQueue | undefined;
  #registryId: string | undefined;
  #isNew = false;
  /** Whether the file holds a registry for good: only then is there a ballast, which tells of that. */
  #hasSchema = false;
  /** Which file the connections have open. */
  #file: FileIdentity | undefined;
  #replaced = false;
  #lookedAt = 0;
  #forgetOpen: (() => void) | undefined;
  #closed = false;

  constructor(path: string, options: SqliteOptions) {
    this.location = path;
    this.#options = options;
  }

  /** Checks that the file is ours and whole, and brings it up to date where that is wanted. */
  async prepare(): Promise<void> {
    const compare = await passGate(this.location, this.#options.mode);
    if (statSync(this.location, { throwIfNoEntry: false }) === undefined) {
      if (this.#options.mode !== "create")
        throw new RegistryError("not_found", `There is no registry at ${this.location}.`);
      withFileErrors(dirname(this.location), () => makeFolder(dirname(this.location)));
      dropBallast(this.location);
    }
    if (this.#options.mode !== "read" && existsSync(`${this.location}.sha256`)) {
      throw new RegistryError(
        "read_only",
        `${this.location} is a snapshot of a backup, which stays as it is. Restore from it, or copy it elsewhere to work with it.`,
      );
    }
    if (this.#options.mode === "read") {
      compare?.(this.#openReader());
      const version = readSchemaVersion(this.#openReader(), "read");
      if (version >= SCHEMA_VERSION) return;
      throw new RegistryError(
        "schema_too_old",
        `${this.location} has schema ${version}, older than ${SCHEMA_VERSION}. Open it to write to bring it up to date.`,
      );
    }
    this.#lookFirst(compare);
    this.#openWriter();
    const version = readSchemaVersion(this.#openReader());
    if (version < SCHEMA_VERSION && this.#options.migrate) await this.migrate(SCHEMA_VERSION);
    this.#isNew = version === 0;
  }

  // A file that is none of ours is looked at only: a connection that can write would fold its log.
  #lookFirst(compare: ((connection: Database.Database) => void) | undefined): void {
    if (!statSync(this.location, { throwIfNoEntry: false })?.size) return;
    try {
      readSchemaVersion(this.#openReader());
      compare?.(this.#openReader());
    } catch (error) {
      // The power was cut while the file was made: who writes undoes what was begun.
      if (!needsRollback(error) || !wasEmpty(this.location)) throw error;
    }
  }

  get reader(): Session {
    this.#checkOpen();
    this.#checkFileNowAndThen();
    if (this.#reader === undefined) this.#reader = new SqliteSession(this.#openReader());
    return this.#reader;
  }

  async write<T>(
    work: (session: WriteSession) => Promise<T>,
    { alone = false, makesRoom = false } = {},
  ): Promise<T> {
    if (this.#options.mode === "read") {
      throw new RegistryError("read_only", `${this.location} was opened for reading only.`);
    }
    this.#openWriter();
    if (this.#replaced) throw replaced(this.location);
    const write = (): Promise<T> => this.#writer!.add(work, alone);
    const result = await (makesRoom ? makingRoom(this.location, write, () => this.#clearLog()) : write());
    if (this.#isNew && !alone) {
      // From its first change on, the file alone has a history to compare a log with: see `evidence.ts`.
      this.#isNew = false;
      checkpoint(this.#openWriter(), "PASSIVE");
    }
    return result;
  }

  now(): MachineTime {
    return machineTime();
  }

  changeCounter(): number {
    this.#checkFileNowAndThen();
    this.#changeCounter ??= this.#openReader().prepare("PRAGMA data_version").pluck();
    return this.#changeCounter.get() as number;
  }

  registryId(): string {
    this.#registryId ??= readRegistryId(this.#openReader());
    return this.#registryId;
  }

  schemaVersion(): { version: number; applied: { version: number; name: string; appliedAt: number }[] } {
    const connection = this.#openReader();
    const use = this.#options.mode === "read" ? "read" : "write";
    return { version: readSchemaVersion(connection, use), applied: readMigrations(connection) };
  }

  hasOldProgram(): boolean {
    const table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'";
    return this.#openReader().prepare(table).get() !== undefined;
  }

  async migrate(target: number): Promise<{ from: number; to: number }> {
    const { migrateOneStep, snapshotBeforeStep } = await import("./migrate.ts");
    const connection = this.#openWriter();
    const from = readSchemaVersion(this.#openReader());
    // A step may build a table anew, and dropping the old one must not take what points at it along.
    connection.pragma("foreign_keys = OFF");
    try {
      let step = 0;
      const takeStep = async (): Promise<boolean> => {
        if (step++ === 0) await snapshotBeforeStep(connection, target);
        return migrateOneStep(connection, target);
      };
      while (await this.write(takeStep, { alone: true }));
    } finally {
      connection.pragma("foreign_keys = ON");
    }
    this.#writer!.clear();
    this.#reader?.clear();
    // From now on the file alone says which registry it is, of which schema: see `evidence.ts`.
    if (from !== target) checkpoint(connection, "PASSIVE");
    this.#hasSchema = target > 0;
    if (this.#hasSchema) keepBallast(this.location);
    return { from, to: target };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#writer?.settled();
    this.#readConnection?.close();
    // The last connection to leave folds the write-ahead log into the file; only a writer can.
    this.#writeConnection?.close();
    this.#forgetOpen?.();
    // The log has left its room.
    if (this.#hasSchema) keepBallast(this.location);
  }

  #open(readonly: boolean): Database.Database {
    const before = fileAt(this.location);
    const connection = openConnection(this.location, {
      readonly,
      busyTimeoutMs: this.#options.busyTimeoutMs,
    });
    const opened = fileAt(this.location);
    this.#file ??= opened;
    if (isSameFile(before ?? opened, opened) && isSameFile(this.#file, opened)) {
      this.#forgetOpen ??= noteOpen(this.location);
      return connection;
    }
    connection.close();
    throw replaced(this.location);
  }

  // What is written to a file that was set aside is lost, and what is read from it is old.
  #checkFile(): void {
    this.#replaced ||= !isSameFile(fileAt(this.location), this.#file);
    if (this.#replaced) throw replaced(this.location);
  }

  #checkFileNowAndThen(): void {
    // Not by `performance`, whose first use takes a start a millisecond.
    const now = machineTime().tick;
    if (!this.#replaced && now - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = now;
    if (this.#file !== undefined) this.#checkFile();
  }

  // By a connection of its own: the writer's may be within a transaction.
  #clearLog(): void {
    const connection = openConnection(this.location, { readonly: false, busyTimeoutMs: 0 });
    checkpoint(connection, "RESTART");
    connection.close();
  }

  #openReader(): Database.Database {
    this.#checkOpen();
    this.#readConnection ??= this.#open(true);
    return this.#readConnection;
  }

  #openWriter(): Database.Database {
    this.#checkOpen();
    if (this.#writeConnection === undefined) {
      const { busyTimeoutMs } = this.#options;
      const connection = this.#open(false);
      try {
        this.#hasSchema = readSchemaVersion(connection) > 0;
        enableWal(connection, busyTimeoutMs);
        // From here on only the queue waits for the lock, so nothing but its transactions may read here.
        connection.pragma("busy_timeout = 0");
        this.#writer = new WriteQueue(connection, busyTimeoutMs, () => this.#checkFile());
      } catch (error) {
        connection.close();
        throw error;
      }
      this.#writeConnection = connection;
      if (this.#hasSchema) keepBallast(this.location);
    }
    return this.#writeConnection;
  }

  #checkOpen(): void {
    if (this.#closed) throw new RegistryError("registry_closed", `The registry ${this.location} is closed.`);
  }
}

function replaced(location: string): RegistryError {
  return new RegistryError(
    "database_damaged",
    `${location} was set aside or replaced while it was open: a repair does that. Open it again.`,
  );
}
