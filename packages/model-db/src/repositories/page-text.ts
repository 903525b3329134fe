import type { AliasedExpression, Expression } from "kysely";

import { query, type ParameterValue } from "../database/query.ts";
import type { Position } from "../domain/cursor.ts";
import type { Order } from "../domain/list-options.ts";
import type { Bound } from "./model-list.ts";
import { damagedRecord, type TextRow } from "./record-text.ts";

/** The rows of a list in one: a row for each, and a text for each, would cost as much as finding them. */
export interface JoinedTexts {
  /** With commas between, without those that are damaged. */
  texts: string | null;
  /** The length of each in bytes, with commas between; -1 for those that are damaged. */
  lengths: string | null;
  seqs: string | null;
  /** The JSON of what the list is sorted by, of each; `null` where that is the order of registration. */
  sorted: string | null;
}

/** The same list with its texts joined. */
export function joined({ query: list, values }: Bound<TextRow>, { field }: Order): Bound<JoinedTexts> {
  return {
    values,
    query: query(`${list.key} joined`, (context) => {
      const { db, sql, dialect } = context;
      // A list with a limit stays in its order within another.
      const rows = list.build(context) as unknown as {
        as(name: string): AliasedExpression<TextRow, "listed">;
      };
      const column = (name: keyof TextRow): Expression<string> => sql.ref<string>(`listed.${name}`);
      const text = column("text");
      const lengths = sql<string>`coalesce(octet_length(${text}), -1)`;
      const sorted = field === undefined ? sql<null>`null` : dialect.joined(dialect.quoted(column("value")));
      return db
        .selectFrom(rows.as("listed") as never)
        .select([
          dialect.joined(text).as("texts"),
          dialect.joined(lengths).as("lengths"),
          dialect.joined(column("seq")).as("seqs"),
          sorted.as("sorted"),
        ] as never);
    }),
  };
}

/**
 * The texts of a page, of which one row more than it takes was read.
 *
 * @param limit how many models it takes.
 * @returns its texts, and where its last model stands if there are more.
 * @throws RegistryError `database_damaged`.
 */
export function pageOf(row: JoinedTexts, limit: number): { texts: string; last: Position | undefined } {
  const { lengths, seqs, sorted } = row;
  const texts = row.texts ?? "";
  const all = lengths === null ? [] : lengths.split(",").map(Number);
  if (all.slice(0, limit).includes(-1)) throw damagedRecord();
  const next = all[limit];
  if (next === undefined) return { texts, last: undefined };
  const value = sorted === null ? null : (JSON.parse(`[${sorted}]`) as ParameterValue[])[limit - 1]!;
  return {
    texts: next === -1 ? texts : withoutEnd(texts, next + 1),
    last: { value, seq: Number(seqs!.split(",")[limit - 1]) },
  };
}

/** @param bytes how long the end is in UTF-8. */
function withoutEnd(text: string, bytes: number): string {
  const length = Buffer.byteLength(text);
  // Of ASCII, which nearly all are, each character is a byte.
  if (length === text.length) return text.slice(0, length - bytes);
  return Buffer.from(text).toString("utf8", 0, length - bytes);
}
