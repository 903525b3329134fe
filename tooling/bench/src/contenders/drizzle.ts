import type Database from "better-sqlite3";
import { eq, getTableColumns, or, sql } from "drizzle-orm";
import { drizzle, type BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

import { openRaw } from "./raw.ts";
import { BOOT, RUNNING_PARTS, TICK } from "./running.ts";

/** The tables of a registry, as an application that has Drizzle would declare them. */
export const model = sqliteTable("model", {
  seq: integer().primaryKey(),
  model_id: text().notNull(),
  source_type: text().notNull(),
  author_repo: text(),
  branch: text(),
  config_path: text(),
  alias: text(),
  aliases: text().notNull(),
  status: integer().notNull(),
  created_at: integer().notNull(),
  updated_at: integer().notNull(),
  availability: text().notNull(),
  engine: text(),
  format: text(),
  architecture: text(),
  quantization: text(),
  parameter_count: integer(),
  context_length: integer(),
  size_bytes: integer(),
  capabilities: text().notNull(),
  metadata: text().notNull(),
  tags: text().notNull(),
  notes: text(),
  pinned: integer().notNull(),
  owner: text(),
  private: integer().notNull(),
  last_used_at: integer(),
  row_version: integer().notNull(),
  row_checksum: text().notNull(),
});
export const modelName = sqliteTable("model_name", {
  name: text().primaryKey(),
  model_seq: integer().notNull(),
});
export const modelTag = sqliteTable("model_tag", { model_seq: integer().notNull(), tag: text().notNull() });
export const modelEvent = sqliteTable("model_event", {
  event_id: integer().primaryKey(),
  model_id: text().notNull(),
  kind: text().notNull(),
  actor: text().notNull(),
  at: integer().notNull(),
  row_version: integer().notNull(),
  before: text(),
  after: text(),
  row_checksum: text().notNull(),
});

/** Drizzle on a registry's file. */
export function openDrizzle(
  path: string,
  options: { readonly?: boolean } = {},
): BetterSQLite3Database & { $client: Database.Database } {
  return drizzle({ client: openRaw(path, options) });
}

const [beforeBoot, beforeTick, afterTick] = RUNNING_PARTS.map((part) => sql.raw(part));
/** Whether a model runs now. */
export const isRunning = sql<boolean>`${beforeBoot}${BOOT}${beforeTick}${TICK}${afterTick}`;

/** Every column of a model, with the status that is true now. */
export const selection = {
  ...getTableColumns(model),
  status: sql<number>`case when ${isRunning} then 1 else 0 end`,
};

/** One model by its id, by an alias, or by either of them. */
export function findBy(
  db: BetterSQLite3Database,
  by: "id" | "alias" | "either",
  name: string | ReturnType<typeof sql.placeholder>,
) {
  const models = db.select(selection).from(model);
  if (by === "id") return models.where(eq(model.model_id, name));
  if (by === "alias") {
    return models.innerJoin(modelName, eq(modelName.model_seq, model.seq)).where(eq(modelName.name, name));
  }
  const seq = db.select({ seq: modelName.model_seq }).from(modelName).where(eq(modelName.name, name));
  return models.where(or(eq(model.model_id, name), eq(model.seq, seq)));
}
