import type Database from "better-sqlite3";
import type { CompiledSql, ParameterValue, Query, WriteSession } from "../query.ts";
import { toRegistryError } from "./errors.ts";
import { SHIPPED_SQL } from "./shipped-sql.ts";

type Row = Record<string, ParameterValue>;

interface Prepared {
  readonly statement: Database.Statement;
  readonly parameters: CompiledSql["parameters"];
}

// Lists have many shapes, and a server may be asked for all of them.
const MAX_STATEMENTS = 500;

/** Runs queries on one connection, each compiled once and kept as a prepared statement. */
export class SqliteSession implements WriteSession {
  readonly #connection: Database.Database;
  readonly #prepared = new Map<string, Prepared>();

  constructor(connection: Database.Database) {
    this.#connection = connection;
  }

  async all<P extends object, R>(query: Query<P, R>, parameters: P): Promise<R[]> {
    const { statement, parameters: places } = this.#prepared.get(query.key) ?? (await this.#prepare(query));
    return this.#guard(() => statement.all(...bind(places, parameters as Row)) as R[]);
  }

  async get<P extends object, R>(query: Query<P, R>, parameters: P): Promise<R | undefined> {
    const { statement, parameters: places } = this.#prepared.get(query.key) ?? (await this.#prepare(query));
    return this.#guard(() => statement.get(...bind(places, parameters as Row)) as R | undefined);
  }

  async run<P extends object>(query: Query<P, unknown>, parameters: P): Promise<number> {
    const { statement, parameters: places } = this.#prepared.get(query.key) ?? (await this.#prepare(query));
    return this.#guard(() => statement.run(...bind(places, parameters as Row)).changes);
  }

  async nested<T>(work: () => Promise<T>): Promise<T> {
    this.#connection.exec("SAVEPOINT part");
    try {
      return await work();
    } catch (error) {
      if (this.#connection.inTransaction) this.#connection.exec("ROLLBACK TO part");
      throw error;
    } finally {
      if (this.#connection.inTransaction) this.#connection.exec("RELEASE part");
    }
  }

  /** Forgets every statement: after the schema changed they are none of ours. */
  clear(): void {
    this.#prepared.clear();
  }

  async #prepare<P, R>(query: Query<P, R>): Promise<Prepared> {
    // The compiler brings Kysely with it; the statements that a cold start needs are shipped as text.
    const compiled = SHIPPED_SQL[query.key] ?? (await import("./compile.ts")).compile(query);
    const statement = this.#guard(() => this.#connection.prepare(compiled.sql));
    const prepared = { statement, parameters: compiled.parameters };
    if (this.#prepared.size >= MAX_STATEMENTS) {
      this.#prepared.delete(this.#prepared.keys().next().value!);
    }
    this.#prepared.set(query.key, prepared);
    return prepared;
  }

  #guard<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw toRegistryError(error, this.#connection.name);
    }
  }
}

function bind(names: CompiledSql["parameters"], values: Row): ParameterValue[] {
  return names.map((name) => values[name]!);
}
