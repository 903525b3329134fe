import { MODEL_FIELDS } from "@cortex/model-db";
import { Kysely, SqliteDialect, sql, type Generated, type RawBuilder } from "kysely";

import { openRaw } from "./raw.ts";
import { BOOT, RUNNING_PARTS, TICK } from "./running.ts";

type Value = string | number | null;

/** The tables of a registry, as an application that has only Kysely would declare them. */
export interface KyselyTables {
  model: {
    seq: Generated<number>;
    model_id: string;
    source_type: string;
    author_repo: string | null;
    status: number;
  } & Record<string, Value | Generated<number>>;
  model_name: { name: string; model_seq: number };
  model_tag: { model_seq: number; tag: string };
  model_search: { rowid: number; text: string };
  model_search_text: { seq: number; text: string };
  model_event: {
    event_id: Generated<number>;
    model_id: string;
    kind: string;
    actor: string;
    at: number;
    row_version: number;
    before: string | null;
    after: string | null;
    row_checksum: string;
  };
}

/** Kysely with its own SQLite dialect on a registry's file. */
export function openKysely(path: string, options: { readonly?: boolean } = {}): Kysely<KyselyTables> {
  return new Kysely<KyselyTables>({ dialect: new SqliteDialect({ database: openRaw(path, options) }) });
}

/** Whether a model runs now. */
export function isRunning(): RawBuilder<boolean> {
  const [beforeBoot, beforeTick, afterTick] = RUNNING_PARTS.map((part) => sql.raw(part));
  return sql<boolean>`${beforeBoot}${BOOT}${beforeTick}${TICK}${afterTick}`;
}

/** Every column of a model, with the status that is true now. */
export function selection() {
  const columns = MODEL_FIELDS.filter(({ name }) => name !== "status").map(({ name }) =>
    sql.ref<Value>(`model.${name}`).as(name),
  );
  return [
    sql.ref<number>("model.seq").as("seq"),
    ...columns,
    sql<number>`case when ${isRunning()} then 1 else 0 end`.as("status"),
  ] as const;
}

/** One model by its id, by an alias, or by either of them. */
export function findBy(
  db: Kysely<KyselyTables>,
  by: "id" | "alias" | "either",
  name: string,
): Promise<object | undefined> {
  const models = db.selectFrom("model").select(selection());
  if (by === "id") return models.where("model_id", "=", name).executeTakeFirst();
  if (by === "alias") {
    const named = models.innerJoin("model_name", "model.seq", "model_name.model_seq");
    return named.where("model_name.name", "=", name).executeTakeFirst();
  }
  const seq = sql<number>`(select model_seq from model_name where name = ${name})`;
  return models
    .where((eb) => eb.or([eb("model_id", "=", name), eb("model.seq", "=", seq)]))
    .executeTakeFirst();
}
