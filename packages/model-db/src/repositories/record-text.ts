import type { AliasedExpression, RawBuilder } from "kysely";

import {
  query,
  type JsonPiece,
  type ParameterValue,
  type Query,
  type QueryContext,
} from "../database/query.ts";
import type { Position } from "../domain/cursor.ts";
import { MODEL_FIELDS, type ModelField } from "../domain/fields.ts";
import type { Order } from "../domain/list-options.ts";
import type { ModelStatus } from "../domain/model.ts";
import type { ProjectedField, Projection } from "../domain/projection.ts";
import { RegistryError } from "../errors.ts";
import type { ModelRow } from "../schema/model.ts";
import type { Moment } from "./lease-holds.ts";
import { shownStatus } from "./model-columns.ts";
import { positionColumns, type Columns } from "./model-list.ts";
import type { Visibility } from "./visibility.ts";

type Context = Pick<QueryContext<Moment>, "sql" | "p" | "dialect">;

/** A model's JSON text as a read returns it: `null` where what is stored is no JSON. */
export interface TextRow extends Position {
  text: string | null;
}

const TYPES = new Map(MODEL_FIELDS.map(({ name, type }) => [name, type]));

type NamedTextRow = Pick<ModelRow, "row_version" | "row_checksum" | "updated_at" | "status"> &
  Pick<TextRow, "text">;

type Named = Record<string, ParameterValue> & Moment & { name: string };

/** The JSON text of one model, by its id or an alias, if it is seen. */
export function textByName(
  projection: Projection,
  visibility: Visibility | undefined,
): Query<Named, NamedTextRow> {
  return query(`model text ${projection.key}${visibility?.key ?? ""}`, (context) => {
    const named = context.db
      .selectFrom("model_name")
      .innerJoin("model", "model.seq", "model_name.model_seq")
      .select(["model.row_version", "model.row_checksum", "model.updated_at"])
      .select([
        shownStatus(context).as("status") as AliasedExpression<ModelStatus, "status">,
        recordText(context, projection).as("text"),
      ])
      .where("model_name.name", "=", context.p("name"));
    return visibility === undefined ? named : named.where(visibility.ofModel(context));
  });
}

/** For a list: the JSON text of a model. */
export function textColumns(projection: Projection, order: Order): Columns<TextRow> {
  return {
    key: `text ${projection.key} `,
    select: (context) => [
      ...positionColumns(context, order),
      recordText(context as Context, projection).as("text"),
    ],
    position: (row) => row,
  };
}

/**
 * The JSON text that was read.
 *
 * @throws RegistryError `database_damaged` where what is stored is no JSON.
 */
export function textOf({ text }: Pick<TextRow, "text">): string {
  if (text !== null) return text;
  throw new RegistryError(
    "database_damaged",
    "A record that was asked for is damaged. `cortex check` says which.",
  );
}

/**
 * The JSON text of a model, put together by the database: what is JSON in its columns already is neither
 * read nor written again. The text is that of `JSON.stringify` of the record.
 */
function recordText(context: Context, { fields }: Projection): RawBuilder<string | null> {
  const { sql, dialect } = context;
  const pieces: JsonPiece[] = [];
  for (const [index, field] of fields.entries()) {
    pieces.push(`${index === 0 ? "{" : ","}${JSON.stringify(field.key)}:`, pieceOf(context, field));
  }
  const text = dialect.json([...pieces, "}"]);
  // A damaged column must not be passed on as a part of the text.
  const stored = fields.flatMap((field) => ("field" in field && isStored(field.field) ? [field.field] : []));
  if (stored.length === 0) return text;
  const checks = stored.map((name) => dialect.isJson(sql.ref<string>(`model.${name}`)));
  return sql<string | null>`case when ${sql.join(checks, sql` and `)} then ${text} end`;
}

function isStored(name: ModelField): boolean {
  const type = TYPES.get(name);
  return type === "list" || type === "object";
}

function pieceOf(context: Context, field: ProjectedField): JsonPiece {
  const { sql } = context;
  if ("text" in field) return JSON.stringify(field.text);
  if ("secondsOf" in field) return { number: sql<number>`${sql.ref(`model.${field.secondsOf}`)} / 1000` };
  if ("firstOf" in field) {
    const [first, second] = field.firstOf.map((name) => sql.ref(`model.${name}`));
    return { text: sql`coalesce(${first}, ${second})` };
  }
  const name = `model.${field.field}`;
  switch (TYPES.get(field.field)!) {
    case "text":
      return { text: sql.ref<string>(name) };
    case "status":
      return { number: shownStatus(context) };
    case "boolean":
      return { json: sql`case ${sql.ref(name)} when 1 then 'true' else 'false' end` };
    case "list":
    case "object":
      return { json: sql.ref<string>(name) };
    default:
      return { number: sql.ref<number>(name) };
  }
}
