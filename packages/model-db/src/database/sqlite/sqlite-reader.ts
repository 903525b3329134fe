import { statSync } from "node:fs";

import type Database from "better-sqlite3";

import { RegistryError } from "../../errors.ts";
import { SCHEMA_VERSION } from "../../migrations/schema-version.ts";
import type { ReadEngine } from "../engine.ts";
import { machineTime, type MachineTime } from "../machine-time.ts";
import type { CompiledSql, Session } from "../query.ts";
import { FIRST_SQL } from "./first-sql.ts";
import { passGate } from "./gate.ts";
import { openConnection } from "./open-connection.ts";
import { fileAt, isSameFile, noteOpen, type FileIdentity } from "./open-files.ts";
import { registryPath } from "./registry-path.ts";
import { readRegistryId, readSchemaVersion } from "./schema-version.ts";
import { SqliteSession } from "./sqlite-session.ts";

// How often a reader looks whether its file is still the registry's.
const LOOK_MS = 100;

/**
 * Opens a registry in one SQLite file to read it, and loads nothing that writes.
 *
 * @param busyTimeoutMs how long to wait for others.
 * @throws RegistryError `not_found`, `not_a_registry`, `schema_too_new`, `schema_too_old`, `read_only`,
 *   `database_busy`, `database_damaged`, `invalid_input`.
 */
export async function openSqliteReader(location: string, busyTimeoutMs: number): Promise<ReadEngine> {
  return await prepared(new SqliteReader(registryPath(location), busyTimeoutMs));
}

/** An engine that has looked at its file, and can be used; one that refuses it is closed. */
export async function prepared<E extends SqliteReader>(engine: E): Promise<E> {
  try {
    await engine.prepare();
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** A registry in one SQLite file, by a connection that can only read. */
export class SqliteReader implements ReadEngine {
  readonly location: string;
  readonly #busyTimeoutMs: number;
  readonly #shipped: Readonly<Record<string, CompiledSql>>;
  #connection: Database.Database | undefined;
  #session: SqliteSession | undefined;
  #changeCounter: Database.Statement | undefined;
  #registryId: string | undefined;
  /** Which file the connections have open. */
  #file: FileIdentity | undefined;
  #replaced = false;
  #lookedAt = 0;
  #forgetOpen: (() => void) | undefined;
  #closed = false;

  /**
   * @param path as {@link registryPath} gives it.
   * @param shipped statements that are there from the beginning; without one, its first run waits for the others.
   */
  constructor(
    path: string,
    busyTimeoutMs: number,
    shipped: Readonly<Record<string, CompiledSql>> = FIRST_SQL,
  ) {
    this.location = path;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#shipped = shipped;
  }

  /** Checks that the file is ours, whole, and of a schema that can be read. */
  async prepare(): Promise<void> {
    const compare = await passGate(this.location, "read");
    if (statSync(this.location, { throwIfNoEntry: false }) === undefined) throw noRegistry(this.location);
    compare?.(this.openReader());
    const version = readSchemaVersion(this.openReader(), "read");
    if (version >= SCHEMA_VERSION) return;
    throw new RegistryError(
      "schema_too_old",
      `${this.location} has schema ${version}, older than ${SCHEMA_VERSION}. Open it to write to bring it up to date.`,
    );
  }

  get reader(): Session {
    this.checkOpen();
    this.#checkFileNowAndThen();
    if (this.#session === undefined) this.#session = new SqliteSession(this.openReader(), this.#shipped);
    return this.#session;
  }

  now(): MachineTime {
    return machineTime();
  }

  changeCounter(): number {
    this.#checkFileNowAndThen();
    this.#changeCounter ??= this.openReader().prepare("PRAGMA data_version").pluck();
    return this.#changeCounter.get() as number;
  }

  registryId(): string {
    this.#registryId ??= readRegistryId(this.openReader());
    return this.#registryId;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#connection?.close();
    this.#forgetOpen?.();
  }

  /** The connection that reads, opened at its first use. */
  protected openReader(): Database.Database {
    this.checkOpen();
    if (this.#connection === undefined) {
      this.#connection = this.open(true);
      this.#forgetOpen = noteOpen(this.location);
    }
    return this.#connection;
  }

  /** Opens a connection to the file that the others have open. */
  protected open(readonly: boolean): Database.Database {
    const before = fileAt(this.location);
    const connection = openConnection(this.location, { readonly, busyTimeoutMs: this.#busyTimeoutMs });
    const opened = fileAt(this.location);
    this.#file ??= opened;
    if (isSameFile(before ?? opened, opened) && isSameFile(this.#file, opened)) return connection;
    connection.close();
    throw replaced(this.location);
  }

  /** @throws RegistryError `database_damaged`: what is written to a file that was set aside is lost, and what is read from it is old. */
  protected checkFile(): void {
    this.#replaced ||= !isSameFile(fileAt(this.location), this.#file);
    this.checkReplaced();
  }

  /** As {@link checkFile}, as far as is known. */
  protected checkReplaced(): void {
    if (this.#replaced) throw replaced(this.location);
  }

  protected checkOpen(): void {
    if (this.#closed) throw new RegistryError("registry_closed", `The registry ${this.location} is closed.`);
  }

  /** Forgets how statements were prepared: the schema is another one. */
  protected clearReader(): void {
    this.#session?.clear();
  }

  #checkFileNowAndThen(): void {
    // Not by `performance`, whose first use takes a start a millisecond.
    const now = machineTime().tick;
    if (!this.#replaced && now - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = now;
    if (this.#file !== undefined) this.checkFile();
  }
}

/** That there is no registry where one was to be opened. */
export function noRegistry(location: string): RegistryError {
  return new RegistryError("not_found", `There is no registry at ${location}.`);
}

function replaced(location: string): RegistryError {
  return new RegistryError(
    "database_damaged",
    `${location} was set aside or replaced while it was open: a repair does that. Open it again.`,
  );
}
