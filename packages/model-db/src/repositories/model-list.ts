import type { AliasedExpression, Expression, ExpressionBuilder, RawBuilder, SqlBool } from "kysely";

import type { MachineTime } from "../database/machine-time.ts";
import {
  query,
  type ParameterValue,
  type Query,
  type QueryContext,
  type Session,
} from "../database/query.ts";
import type { Position } from "../domain/cursor.ts";
import { MODEL_FIELDS, type ModelField } from "../domain/fields.ts";
import type { Condition, Order, Selection } from "../domain/list-options.ts";
import type { ModelRow } from "../schema/model.ts";
import type { Tables } from "../schema/tables.ts";
import { momentOf } from "./lease-holds.ts";
import { modelColumns, running, shownStatus } from "./model-columns.ts";
import type { Visibility } from "./visibility.ts";

type Values = Record<string, ParameterValue>;
type Context = QueryContext<Values>;
/** A query and what it is run with. */
export interface Bound<Row> {
  query: Query<Values, Row>;
  values: Values;
}

// Shorter terms are no trigrams: they are looked for in the text itself.
function isIndexed(term: string): boolean {
  return Array.from(term).length >= 3;
}

function isAscii(text: unknown): boolean {
  return typeof text === "string" && /^[ -~]*$/.test(text);
}

const unseen: Query<object, { event_id: number }> = query("unseen", ({ db, sql }) =>
  db.selectFrom("model_unseen").select("event_id").limit(sql.lit(1)),
);

/** Whether the search index lags behind what old programs wrote, where a selection asks it. */
export async function isIndexBehind(session: Session, selection: Selection): Promise<boolean> {
  return sourceOf(selection) === "search" && (await session.get(unseen, {})) !== undefined;
}

/** What is read of each model. */
export interface Columns<Row> {
  /** Names them: the same key always means the same columns. */
  readonly key: string;
  readonly select: (context: unknown) => readonly AliasedExpression<unknown, keyof Row & string>[];
  /** Where a row stands in the list. */
  readonly position: (row: Row) => Position;
}

/** All of it, for `toModel`. */
export function wholeModel({ field }: Order): Columns<ModelRow> {
  return {
    key: "",
    select: modelColumns,
    position: (row) => ({ value: field === undefined ? null : row[field], seq: row.seq }),
  };
}

/** Where a row stands in a list, as columns of its own. */
export function positionColumns(
  context: unknown,
  { field }: Order,
): readonly AliasedExpression<unknown, keyof Position>[] {
  const { sql } = context as Context;
  const value = field === undefined ? sql.lit(null) : sortedBy(context as Context, field);
  return [sql.ref<number>("model.seq").as("seq"), value.as("value")];
}

function sortedBy(context: Context, field: ModelField): RawBuilder<ParameterValue> {
  return field === "status" ? shownStatus(context) : context.sql.ref(`model.${field}`);
}

/** Which models. */
export interface Wanted {
  readonly selection: Selection;
  /** Whether the search index is, see {@link isIndexBehind}. */
  readonly behind: boolean;
  /** Which of them are seen; `undefined`: all. */
  readonly visibility: Visibility | undefined;
}

/**
 * The page of models that match, in an order, after a position. While the search index lags behind, a search that
 * asks it finds nothing: so whoever finds something need not look whether it does.
 *
 * @param columns what is read of each.
 */
export function listQuery<Row>(
  columns: Columns<Row>,
  wanted: Wanted,
  order: Order,
  after: Position | undefined,
  limit: number,
  now: MachineTime,
): Bound<Row> {
  const { selection, behind } = wanted;
  const values: Values = { ...valuesOf(wanted), ...momentOf(now), limit };
  if (after !== undefined) Object.assign(values, { after_value: after.value, after_seq: after.seq });
  const place = after === undefined ? "" : after.value === null ? "after null" : "after";
  const key = `model.list ${columns.key}${order.field ?? "seq"} ${order.descending ? "desc" : "asc"} ${place} ${shapeOf(wanted)}`;
  return {
    values,
    query: query(key, (context) => {
      const { sql, p } = context;
      const source = behind ? "model" : sourceOf(selection);
      const seq = sql.ref<number>(SEQUENCE[source]);
      const direction = order.descending ? ("desc" as const) : ("asc" as const);
      let rows = from(context, source)
        .select(columns.select(context) as readonly AliasedExpression<Row, never>[])
        .where((eb) => matches(eb, context, wanted, source));
      if (source === "search") rows = rows.where(sql<SqlBool>`not exists (select 1 from model_unseen)`);
      if (order.field !== undefined && order.field !== "model_id") {
        const field = sortedBy(context, order.field);
        if (after !== undefined) rows = rows.where(beyond(context, field, seq, order, after.value === null));
        rows = rows.orderBy(field, (by) => (order.descending ? by.desc() : by.asc()).nullsLast());
      } else if (order.field === "model_id") {
        if (after !== undefined) {
          rows = rows.where("model.model_id", order.descending ? "<" : ">", p("after_value") as never);
        }
        return rows.orderBy("model.model_id", direction).limit(p("limit") as never);
      } else if (after !== undefined) {
        rows = rows.where(seq, order.descending ? "<" : ">", p("after_seq") as never);
      }
      return rows.orderBy(seq, direction).limit(p("limit") as never);
    }),
  };
}

/** How many models match a selection. */
export function countQuery(wanted: Wanted, now: MachineTime): Bound<{ count: number }> {
  const { selection, behind } = wanted;
  return {
    values: { ...valuesOf(wanted), ...momentOf(now) },
    query: query(`model.count ${shapeOf(wanted)}`, (context) => {
      const source = behind ? "model" : sourceOf(selection);
      return from(context, source)
        .select((eb) => eb.fn.countAll<number>().as("count"))
        .where((eb) => matches(eb, context, wanted, source));
    }),
  };
}

/** What makes two questions the same list, for its cursors. */
export function questionOf(selection: Selection, order: Order): string {
  return JSON.stringify([order, selection]);
}

// The table that leads to the matching models fastest, and what the order of registration is in it.
type Source = "model" | "tag" | "search";
const SEQUENCE = { model: "model.seq", tag: "model_tag.model_seq", search: "model_search.rowid" } as const;

function sourceOf(selection: Selection): Source {
  if (selection.terms.some(isIndexed)) return "search";
  return selection.tagsAll.length > 0 ? "tag" : "model";
}

function from({ db, sql }: Context, source: Source) {
  // A cross join keeps the order of its tables, and so the order of the rows: no sort.
  if (source === "search") {
    return db
      .selectFrom("model_search")
      .crossJoin("model")
      .where(sql.ref<number>("model.seq"), "=", sql.ref<number>("model_search.rowid")) as never as ReturnType<
      typeof models
    >;
  }
  if (source === "tag") {
    return db
      .selectFrom("model_tag")
      .crossJoin("model")
      .where(
        sql.ref<number>("model.seq"),
        "=",
        sql.ref<number>("model_tag.model_seq"),
      ) as never as ReturnType<typeof models>;
  }
  return models(db);
}

function models(db: Context["db"]) {
  return db.selectFrom("model");
}

function matches(
  eb: ExpressionBuilder<Tables, "model">,
  context: Context,
  { selection, visibility }: Wanted,
  source: Source,
): Expression<SqlBool> {
  const { sql, p, dialect } = context;
  const all: Expression<SqlBool>[] = selection.conditions.map((condition, index) =>
    holds(eb, context, condition, index),
  );
  const hasTag = (tags: Expression<unknown>): Expression<SqlBool> =>
    sql<SqlBool>`exists (select 1 from model_tag as tagged where tagged.model_seq = model.seq and tagged.tag in ${tags})`;
  selection.tagsAll.forEach((_, index) => {
    const tag = p(`all_${index}`);
    all.push(source === "tag" && index === 0 ? sql<SqlBool>`model_tag.tag = ${tag}` : hasTag(sql`(${tag})`));
  });
  const list = (name: string, tags: readonly string[]) =>
    sql`(${sql.join(tags.map((_, index) => p(`${name}_${index}`)))})`;
  if (selection.tagsAny.length > 0) all.push(hasTag(list("any", selection.tagsAny)));
  if (selection.tagsNone.length > 0) all.push(eb.not(hasTag(list("none", selection.tagsNone))));
  const contains = (index: number): Expression<SqlBool> => {
    const text = sql<string>`(select found.text from model_search_text as found where found.seq = model.seq)`;
    return dialect.contains(text, p(`term_${index}`) as never, isAscii(selection.terms[index]));
  };
  const long = [...selection.terms.keys()].filter((index) => isIndexed(selection.terms[index]!));
  if (source === "search") all.push(dialect.matches(p("terms") as never));
  else if (long.length > 0) {
    // Of the models that the index does not know the text itself is read.
    const unseenModels = sql`(select model_seq from model_unseen)`;
    const found = sql`(select rowid from model_search where ${dialect.matches(p("terms") as never)})`;
    const asIndexed = sql<SqlBool>`(model.seq in ${found} and model.seq not in ${unseenModels})`;
    all.push(eb.or([asIndexed, eb.and([sql<SqlBool>`model.seq in ${unseenModels}`, ...long.map(contains)])]));
  }
  for (const index of selection.terms.keys()) if (!long.includes(index)) all.push(contains(index));
  if (visibility !== undefined) all.push(visibility.ofModel(context));
  return eb.and(all);
}

const LISTS: ReadonlySet<string> = new Set(
  MODEL_FIELDS.filter(({ type }) => type === "list").map(({ name }) => name),
);
const COMPARE = { eq: "=", ne: "!=", lt: "<", le: "<=", gt: ">", ge: ">=" } as const;

function holds(
  eb: ExpressionBuilder<Tables, "model">,
  context: Context,
  { field, operator, values }: Condition,
  index: number,
): Expression<SqlBool> {
  const { sql, p, dialect } = context;
  if (field === "status") return statusHolds(eb, context, operator, values);
  const column = sql.ref<string | number | null>(`model.${field}`);
  if (LISTS.has(field)) return hasItem(eb, context, column as Expression<string>, operator, values, index);
  const place = (position: number): Expression<ParameterValue> => p(`value_${index}_${position}`);
  if (operator === "like") {
    return dialect.contains(
      column as Expression<string | null>,
      place(0) as Expression<string>,
      isAscii(values[0]),
    );
  }
  if (operator === "in") {
    const known = values.flatMap((value, position) => (value === null ? [] : [place(position)]));
    const within = known.length === 0 ? sql<SqlBool>`false` : sql<SqlBool>`${column} in (${sql.join(known)})`;
    return values.includes(null) ? eb.or([within, sql<SqlBool>`${column} is null`]) : within;
  }
  if (values[0] === null)
    return operator === "eq" ? sql<SqlBool>`${column} is null` : sql<SqlBool>`${column} is not null`;
  const compared = sql<SqlBool>`${column} ${sql.raw(COMPARE[operator])} ${place(0)}`;
  return operator === "ne" ? eb.or([compared, sql<SqlBool>`${column} is null`]) : compared;
}

function hasItem(
  eb: ExpressionBuilder<Tables, "model">,
  { sql, p, dialect }: Context,
  list: Expression<string>,
  operator: Condition["operator"],
  values: Condition["values"],
  index: number,
): Expression<SqlBool> {
  const wanted = values.map((_, position) => p(`value_${index}_${position}`));
  const has = sql<SqlBool>`exists (select 1 from ${dialect.texts(list)} as item where item.value in (${sql.join(wanted)}))`;
  return operator === "ne" ? eb.not(has) : has;
}

// Whether a model runs is decided at the time of reading, so no column can be compared.
function statusHolds(
  eb: ExpressionBuilder<Tables, "model">,
  context: Context,
  operator: Condition["operator"],
  values: Condition["values"],
): Expression<SqlBool> {
  const wanted = [0, 1].filter((status) => statusMatches(status, operator, values));
  if (wanted.length === 2) return context.sql<SqlBool>`true`;
  if (wanted.length === 0) return context.sql<SqlBool>`false`;
  return wanted[0] === 1 ? running(context) : eb.not(running(context));
}

function statusMatches(
  status: number,
  operator: Condition["operator"],
  values: Condition["values"],
): boolean {
  if (operator === "in") return values.includes(status);
  const value = values[0] as number;
  if (operator === "eq") return status === value;
  if (operator === "ne") return status !== value;
  if (operator === "lt") return status < value;
  if (operator === "le") return status <= value;
  return operator === "gt" ? status > value : status >= value;
}

// Beyond a position in the order (field, seq) with models without a value last.
function beyond(
  { sql, p }: Context,
  field: Expression<ParameterValue>,
  seq: Expression<number>,
  { descending }: Order,
  atNull: boolean,
): Expression<SqlBool> {
  const later = sql.raw(descending ? "<" : ">");
  if (atNull) return sql<SqlBool>`(${field} is null and ${seq} ${later} ${p("after_seq")})`;
  return sql<SqlBool>`(${field} ${later} ${p("after_value")} or (${field} = ${p("after_value")} and ${seq} ${later} ${p("after_seq")}) or ${field} is null)`;
}

// All that decides the text of the SQL, and none of the values.
function shapeOf({ selection, behind, visibility }: Wanted): string {
  const { conditions, tagsAll, tagsAny, tagsNone, terms } = selection;
  const fields = conditions.map(({ field, operator, values }) => {
    if (field === "status") return `status ${operator} ${values.join(" ")}`;
    if (operator === "like") return `${field} like ${isAscii(values[0]) ? "ascii" : "text"}`;
    return `${field} ${operator} ${values.map((value) => (value === null ? "null" : "?")).join(" ")}`;
  });
  const lengths = terms.map((term) => (isIndexed(term) ? "long" : isAscii(term) ? "short ascii" : "short"));
  const shape = [...fields, tagsAll.length, tagsAny.length, tagsNone.length, ...lengths].join(",");
  return `${shape}${behind ? " behind" : ""}${visibility?.key ?? ""}`;
}

function valuesOf({ selection, visibility }: Wanted): Values {
  const { conditions, tagsAll, tagsAny, tagsNone, terms } = selection;
  const values: Values = { ...visibility?.values };
  for (const [index, condition] of conditions.entries()) {
    for (const [position, value] of condition.values.entries()) {
      values[`value_${index}_${position}`] = value;
    }
  }
  for (const [name, tags] of Object.entries({ all: tagsAll, any: tagsAny, none: tagsNone })) {
    for (const [index, tag] of tags.entries()) values[`${name}_${index}`] = tag;
  }
  const long = terms.filter(isIndexed);
  if (long.length > 0) values["terms"] = searchExpression(long);
  for (const [index, term] of terms.entries()) {
    values[`term_${index}`] = term;
  }
  return values;
}

// Each term is a quoted string of FTS5, in which nothing but the quote means anything.
function searchExpression(terms: readonly string[]): string {
  return terms.map((term) => `"${term.replaceAll('"', '""')}"`).join(" AND ");
}
