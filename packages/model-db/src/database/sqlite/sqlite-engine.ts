import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";

import type Database from "better-sqlite3";

import { RegistryError } from "../../errors.ts";
import { makeFolder } from "../../maintenance/durable-files.ts";
import { withFileErrors } from "../../maintenance/file-errors.ts";
import { SCHEMA_VERSION } from "../../migrations/schema-version.ts";
import type { Engine } from "../engine.ts";
import type { WriteSession } from "../query.ts";
import { dropBallast, keepBallast, makingRoom } from "./ballast.ts";
import { needsRollback } from "./errors.ts";
import { passGate } from "./gate.ts";
import { enableWal, openConnection } from "./open-connection.ts";
import { noteOpen } from "./open-files.ts";
import { registryPath } from "./registry-path.ts";
import { readMigrations, readSchemaVersion } from "./schema-version.ts";
import { SHIPPED_SQL } from "./shipped-sql.ts";
import { noRegistry, prepared, SqliteReader } from "./sqlite-reader.ts";
import { WriteQueue } from "./write-queue.ts";

export interface SqliteOptions {
  mode: "create" | "write" | "read";
  migrate: boolean;
  busyTimeoutMs: number;
}

/**
 * Opens a registry in one SQLite file to change it, too. Reads and writes have a connection each, opened at the first
 * use, so that a read never sees what is not yet committed.
 *
 * @throws RegistryError `not_found`, `not_a_registry`, `schema_too_new`, `schema_too_old`,
 *   `read_only`, `disk_full`, `database_busy`, `database_damaged`, `invalid_input`.
 */
export async function openSqlite(location: string, options: SqliteOptions): Promise<Engine> {
  return await prepared(new SqliteEngine(registryPath(location), options));
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

class SqliteEngine extends SqliteReader implements Engine {
  readonly #options: SqliteOptions;
  #writeConnection: Database.Database | undefined;
  #writer: WriteQueue | undefined;
  #isNew = false;
  /** Whether the file holds a registry for good: only then is there a ballast, which tells of that. */
  #hasSchema = false;
  #forgetOpen: (() => void) | undefined;

  constructor(path: string, options: SqliteOptions) {
    super(path, options.busyTimeoutMs, SHIPPED_SQL);
    this.#options = options;
  }

  /** Checks that the file is ours and whole, and brings it up to date where that is wanted. */
  override async prepare(): Promise<void> {
    if (this.#options.mode === "read") return super.prepare();
    const compare = await passGate(this.location, this.#options.mode);
    if (statSync(this.location, { throwIfNoEntry: false }) === undefined) {
      if (this.#options.mode !== "create") throw noRegistry(this.location);
      withFileErrors(dirname(this.location), () => makeFolder(dirname(this.location)));
      dropBallast(this.location);
    }
    if (existsSync(`${this.location}.sha256`)) {
      throw new RegistryError(
        "read_only",
        `${this.location} is a snapshot of a backup, which stays as it is. Restore from it, or copy it elsewhere to work with it.`,
      );
    }
    this.#lookFirst(compare);
    this.#openWriter();
    const version = readSchemaVersion(this.openReader());
    if (version < SCHEMA_VERSION && this.#options.migrate) await this.migrate(SCHEMA_VERSION);
    this.#isNew = version === 0;
  }

  // A file that is none of ours is looked at only: a connection that can write would fold its log.
  #lookFirst(compare: ((connection: Database.Database) => void) | undefined): void {
    if (!statSync(this.location, { throwIfNoEntry: false })?.size) return;
    try {
      readSchemaVersion(this.openReader());
      compare?.(this.openReader());
    } catch (error) {
      // The power was cut while the file was made: who writes undoes what was begun.
      if (!needsRollback(error) || !wasEmpty(this.location)) throw error;
    }
  }

  async write<T>(
    work: (session: WriteSession) => Promise<T>,
    { alone = false, makesRoom = false } = {},
  ): Promise<T> {
    if (this.#options.mode === "read") {
      throw new RegistryError("read_only", `${this.location} was opened for reading only.`);
    }
    this.#openWriter();
    this.checkReplaced();
    const write = (): Promise<T> => this.#writer!.add(work, alone);
    const result = await (makesRoom ? makingRoom(this.location, write, () => this.#clearLog()) : write());
    if (this.#isNew && !alone) {
      // From its first change on, the file alone has a history to compare a log with: see `evidence.ts`.
      this.#isNew = false;
      checkpoint(this.#openWriter(), "PASSIVE");
    }
    return result;
  }

  schemaVersion(): { version: number; applied: { version: number; name: string; appliedAt: number }[] } {
    const connection = this.openReader();
    const use = this.#options.mode === "read" ? "read" : "write";
    return { version: readSchemaVersion(connection, use), applied: readMigrations(connection) };
  }

  hasOldProgram(): boolean {
    const table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'";
    return this.openReader().prepare(table).get() !== undefined;
  }

  async migrate(target: number): Promise<{ from: number; to: number }> {
    const { migrateOneStep, snapshotBeforeStep } = await import("./migrate.ts");
    const connection = this.#openWriter();
    const from = readSchemaVersion(this.openReader());
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
    this.clearReader();
    // From now on the file alone says which registry it is, of which schema: see `evidence.ts`.
    if (from !== target) checkpoint(connection, "PASSIVE");
    this.#hasSchema = target > 0;
    if (this.#hasSchema) keepBallast(this.location);
    return { from, to: target };
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#writer?.end();
    // The last connection to leave folds the write-ahead log into the file; only a writer can.
    this.#writeConnection?.close();
    this.#forgetOpen?.();
    // The log has left its room.
    if (this.#hasSchema) keepBallast(this.location);
  }

  // By a connection of its own: the writer's may be within a transaction.
  #clearLog(): void {
    const connection = openConnection(this.location, { readonly: false, busyTimeoutMs: 0 });
    checkpoint(connection, "RESTART");
    connection.close();
  }

  #openWriter(): Database.Database {
    this.checkOpen();
    if (this.#writeConnection === undefined) {
      const { busyTimeoutMs } = this.#options;
      const connection = this.open(false);
      try {
        this.#hasSchema = readSchemaVersion(connection) > 0;
        enableWal(connection, busyTimeoutMs);
        // From here on only the queue waits for the lock, so nothing but its transactions may read here.
        connection.pragma("busy_timeout = 0");
        this.#writer = new WriteQueue(connection, busyTimeoutMs, () => this.checkFile());
      } catch (error) {
        connection.close();
        throw error;
      }
      this.#writeConnection = connection;
      this.#forgetOpen = noteOpen(this.location);
      if (this.#hasSchema) keepBallast(this.location);
    }
    return this.#writeConnection;
  }
}
