import type { Compilable, Expression, ExpressionWrapper, Kysely, RawBuilder, Sql } from "kysely";

import type { Tables } from "../schema/tables.ts";

/** A value that a query is given when it runs. */
export type ParameterValue = string | number | null;

/** A piece of a JSON text: as it stands there, or where its value comes from; `null` for what there is none of. */
export type JsonPiece =
  | string
  | { readonly text: Expression<string | null> }
  | { readonly number: Expression<number | null> }
  /** JSON already. */
  | { readonly json: Expression<string> };

/** What engines say in different words. Everything else in a query is the same on each. */
export interface Dialect {
  /** The texts of a JSON array, as rows: the `value`, and its place in the array from 0, `key`. */
  texts(json: Expression<string>): RawBuilder<{ key: number; value: string }>;
  /** Whether a text contains a part, without regard to case; `ascii` tells that the part is plain ASCII. */
  contains(text: Expression<string | null>, part: Expression<string>, ascii: boolean): RawBuilder<boolean>;
  /** A JSON text put together of pieces. A text ends at U+0000, which none of ours holds. */
  json(pieces: readonly JsonPiece[]): RawBuilder<string>;
  /** Whether a text is JSON. */
  isJson(text: Expression<string>): RawBuilder<boolean>;
  /** A field of a JSON object: a text, a number or a list's JSON; `null` where there is none. */
  field(json: Expression<string | null>, name: string): RawBuilder<string | null>;
  /** Whether a text is as a pattern says, in which `*` stands for any text and nothing else is special. */
  matchesPattern(text: Expression<string>, pattern: Expression<string>): RawBuilder<boolean>;
  /** Brings the search index into its fastest form, after much was added to it. */
  settleSearch(db: Kysely<Tables>): Compilable;
  /** Whether a row of `model_search` contains every term of a text made by `searchExpression`. */
  matches(expression: Expression<string>): RawBuilder<boolean>;
}

/** What a query is written with. */
export interface QueryContext<P> {
  db: Kysely<Tables>;
  sql: Sql;
  dialect: Dialect;
  /** A place for the parameter of that name. */
  p: <K extends keyof P & string>(name: K) => ExpressionWrapper<Tables, never, P[K]>;
}

/**
 * A query, written once in Kysely. It is compiled at its first run, kept as a prepared statement under
 * its key, and given its parameters by name at each run.
 */
export interface Query<P, Row> {
  /** Names the query, and its shape where that varies: the same key always means the same SQL. */
  readonly key: string;
  readonly build: (context: QueryContext<P>) => Compilable<Row>;
}

/** A query under a key. */
export function query<P, Row>(
  key: string,
  build: (context: QueryContext<P>) => Compilable<Row>,
): Query<P, Row> {
  return { key, build };
}

/** A query compiled for an engine, and the names of its parameters in their order in the text. */
export interface CompiledSql {
  readonly sql: string;
  readonly parameters: readonly string[];
}

/** A value, or the promise of one: an engine that has the answer at once does not make its callers wait. */
export type Awaitable<T> = T | Promise<T>;

/** What runs queries: the reading side of a registry, or one write transaction. */
export interface Session {
  all<P extends object, Row>(query: Query<P, Row>, parameters: P): Awaitable<Row[]>;
  get<P extends object, Row>(query: Query<P, Row>, parameters: P): Awaitable<Row | undefined>;
  /** Runs a query without result rows; returns how many rows it changed. */
  run<P extends object>(query: Query<P, unknown>, parameters: P): Awaitable<number>;
  /** Inserts one row; returns the number that the engine gave it, or `undefined` where a conflict was passed over. */
  insert<P extends object>(query: Query<P, unknown>, parameters: P): Awaitable<number | undefined>;
}

/** The session of a write transaction. */
export interface WriteSession extends Session {
  /**
   * The number after the greatest that a query finds. It is looked for once and counted on from there, until
   * anybody else has written: nobody can during a transaction.
   */
  nextNumber(greatest: Query<object, { greatest: number | null }>): Awaitable<number>;
  /** Runs a part of the transaction that is undone when it fails, while the rest can go on. */
  nested<T>(work: () => Promise<T>): Promise<T>;
}
