import type Database from "better-sqlite3";

import type { Awaitable, CompiledSql, ParameterValue, Query, WriteSession } from "../query.ts";
import { givenUp, toRegistryError } from "./errors.ts";

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
  readonly #shipped: Readonly<Record<string, CompiledSql>>;
  readonly #prepared = new Map<string, Prepared>();
  readonly #numbers = new Map<string, number>();
  #savepoint: Database.Statement | undefined;
  #release: Database.Statement | undefined;

  /** @param shipped statements that are compiled already, by the keys of their queries. */
  constructor(connection: Database.Database, shipped: Readonly<Record<string, CompiledSql>>) {
    this.#connection = connection;
    this.#shipped = shipped;
  }

  all<P extends object, R>(query: Query<P, R>, parameters: P): Awaitable<R[]> {
    const prepared = this.#prepared.get(query.key);
    if (prepared === undefined) return this.#prepare(query).then(() => this.all(query, parameters));
    try {
      return prepared.statement.all(bind(prepared.parameters, parameters as Row)) as R[];
    } catch (error) {
      throw toRegistryError(error, this.#connection.name);
    }
  }

  get<P extends object, R>(query: Query<P, R>, parameters: P): Awaitable<R | undefined> {
    const prepared = this.#prepared.get(query.key);
    if (prepared === undefined) return this.#prepare(query).then(() => this.get(query, parameters));
    try {
      return prepared.statement.get(bind(prepared.parameters, parameters as Row)) as R | undefined;
    } catch (error) {
      throw toRegistryError(error, this.#connection.name);
    }
  }

  run<P extends object>(query: Query<P, unknown>, parameters: P): Awaitable<number> {
    const prepared = this.#prepared.get(query.key);
    if (prepared === undefined) return this.#prepare(query).then(() => this.run(query, parameters));
    try {
      return prepared.statement.run(bind(prepared.parameters, parameters as Row)).changes;
    } catch (error) {
      throw toRegistryError(error, this.#connection.name);
    }
  }

  // Not by RETURNING: that makes a savepoint of the statement, at which FTS5 writes out what it has gathered.
  insert<P extends object>(query: Query<P, unknown>, parameters: P): Awaitable<number | undefined> {
    const prepared = this.#prepared.get(query.key);
    if (prepared === undefined) return this.#prepare(query).then(() => this.insert(query, parameters));
    try {
      const { changes, lastInsertRowid } = prepared.statement.run(
        bind(prepared.parameters, parameters as Row),
      );
      return changes === 1 ? Number(lastInsertRowid) : undefined;
    } catch (error) {
      throw toRegistryError(error, this.#connection.name);
    }
  }

  nextNumber(greatest: Query<object, { greatest: number | null }>): Awaitable<number> {
    const last = this.#numbers.get(greatest.key);
    if (last === undefined) return this.#lookForNumber(greatest);
    this.#numbers.set(greatest.key, last + 1);
    return last + 1;
  }

  async #lookForNumber(greatest: Query<object, { greatest: number | null }>): Promise<number> {
    const found = await this.get(greatest, {});
    this.#numbers.set(greatest.key, found?.greatest ?? 0);
    return this.nextNumber(greatest);
  }

  /** Forgets what numbers were given: others may have written since, or what took them was undone. */
  forgetNumbers(): void {
    this.#numbers.clear();
  }

  async nested<T>(work: () => Promise<T>): Promise<T> {
    this.#savepoint ??= this.#connection.prepare("SAVEPOINT part");
    this.#release ??= this.#connection.prepare("RELEASE part");
    // After SQLite's own rollback a savepoint would begin a transaction, and its release commit it.
    if (!this.#connection.inTransaction) throw givenUp(this.#connection.name);
    this.#savepoint.run();
    try {
      return await work();
    } catch (error) {
      if (this.#connection.inTransaction) this.#connection.exec("ROLLBACK TO part");
      this.forgetNumbers();
      throw error;
    } finally {
      if (this.#connection.inTransaction) this.#release.run();
    }
  }

  /** Forgets every statement: after the schema changed they are none of ours. */
  clear(): void {
    this.#prepared.clear();
  }

  async #prepare<P, R>(query: Query<P, R>): Promise<void> {
    const { sql, parameters } = this.#shipped[query.key] ?? (await shippedOrCompiled(query));
    try {
      const statement = this.#connection.prepare(sql);
      if (this.#prepared.size >= MAX_STATEMENTS) this.#prepared.delete(this.#prepared.keys().next().value!);
      this.#prepared.set(query.key, { statement, parameters });
    } catch (error) {
      throw toRegistryError(error, this.#connection.name);
    }
  }
}

// The compiler brings Kysely with it; the statements that a cold start needs are shipped as text.
async function shippedOrCompiled<P, R>(query: Query<P, R>): Promise<CompiledSql> {
  const { SHIPPED_SQL } = await import("./shipped-sql.ts");
  return SHIPPED_SQL[query.key] ?? (await import("./compile.ts")).compile(query);
}

function bind(names: CompiledSql["parameters"], values: Row): ParameterValue[] {
  const bound: ParameterValue[] = [];
  for (const name of names) bound.push(values[name]!);
  return bound;
}
