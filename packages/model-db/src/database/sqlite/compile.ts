import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from "kysely";
import type { Expression, LimitNode } from "kysely";

import type { Tables } from "../../schema/tables.ts";
import type { CompiledSql, Dialect, JsonPiece, ParameterValue, Query, QueryContext } from "../query.ts";

class Parameter {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/**
 * SQLite plans a statement anew whenever a bare parameter that it peeked at gets another value: in a
 * LIMIT always, in a comparison once ANALYZE has run. Behind a unary plus or a cast it does not peek
 * (https://www.sqlite.org/queryplanner-ng.html#the_next_generation_query_planner, "QPSG").
 */
class StableQueryCompiler extends SqliteQueryCompiler {
  protected override getCurrentParameterPlaceholder(): string {
    return "+?";
  }

  protected override visitLimit(node: LimitNode): void {
    this.append("limit cast(");
    this.visitNode(node.limit);
    this.append(" as integer)");
  }
}

// Lists have many shapes; what is asked for often comes early.
const MAX_COMPILED = 1000;

const db = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new StableQueryCompiler(),
  },
});

const dialect: Dialect = {
  texts: (json) => sql`json_each(${json})`,
  // LIKE knows the case of ASCII letters only.
  contains: (text, part, ascii) =>
    ascii
      ? sql`${text} like '%' || replace(replace(replace(${part}, '\\', '\\\\'), '%', '\\%'), '_', '\\_') || '%' escape '\\'`
      : sql`instr(fold_case(${text}), fold_case(${part})) > 0`,
  json: (pieces) => {
    const values = pieces.flatMap((piece) => (typeof piece === "string" ? [] : [valueOf(piece)]));
    const format = pieces.map((piece) =>
      typeof piece === "string" ? piece.replaceAll("%", "%%") : placeOf(piece),
    );
    return sql`format(${sql.join([sql.lit(format.join("")), ...values])})`;
  },
  isJson: (text) => sql`json_valid(${text})`,
  field: (json, name) => sql`json_extract(${json}, ${sql.lit(`$.${name}`)})`,
  // https://sqlite.org/lang_expr.html#the_like_glob_regexp_match_and_extract_operators
  matchesPattern: (text, pattern) => sql`${text} glob replace(replace(${pattern}, '[', '[[]'), '?', '[?]')`,
  // https://sqlite.org/fts5.html#the_optimize_command
  settleSearch: (tables) =>
    tables.insertInto("model_search").values({ model_search: sql.lit("optimize") } as never),
  matches: (expression) => sql`model_search match ${expression}`,
};

type JsonValue = Exclude<JsonPiece, string>;

// One call that quotes as it goes: one for each text, and one to join them, take half as long again.
// https://sqlite.org/printf.html
function placeOf(piece: JsonValue): string {
  return "text" in piece ? "%J" : "%s";
}

function valueOf(piece: JsonValue): Expression<unknown> {
  if ("text" in piece) return piece.text;
  return "json" in piece ? piece.json : sql`coalesce(${piece.number}, 'null')`;
}

const context: QueryContext<Record<string, ParameterValue>> = {
  db,
  sql,
  dialect,
  p: (name) => sql.val(new Parameter(name) as never) as never,
};

const compiled = new Map<string, CompiledSql>();

/** The SQL of a query, in SQLite's words. */
export function compile<P, Row>(query: Query<P, Row>): CompiledSql {
  const known = compiled.get(query.key);
  if (known !== undefined) return known;
  const { sql: text, parameters } = query.build(context as unknown as QueryContext<P>).compile();
  const result = { sql: text, parameters: parameters.map(nameOf) };
  if (compiled.size < MAX_COMPILED) compiled.set(query.key, result);
  return result;
}

function nameOf(parameter: unknown): string {
  if (parameter instanceof Parameter) return parameter.name;
  throw new TypeError("A query must name each of its values with p(), or spell it out with eb.lit().");
}

/** What has been compiled in this process, by key. */
export function compiledQueries(): ReadonlyMap<string, CompiledSql> {
  return compiled;
}
