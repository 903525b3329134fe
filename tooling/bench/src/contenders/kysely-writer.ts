import type { NewModel } from "@cortex/model-db";
import { sql, type Kysely, type Transaction } from "kysely";

import { selection, type KyselyTables } from "./kysely.ts";
import { checksum, digest, toRecord, toRow, type Row, type Value } from "./row.ts";

type Tables = KyselyTables;

/** Adds one model with Kysely's own transaction and dialect: the same rows as the registry writes. */
export function create(db: Kysely<Tables>, model: NewModel): Promise<void> {
  return db.transaction().execute((transaction) => insert(transaction, model));
}

/** Adds models in one transaction. */
export function createMany(db: Kysely<Tables>, models: Iterable<NewModel>): Promise<void> {
  return db.transaction().execute(async (transaction) => {
    for (const model of models) await insert(transaction, model);
  });
}

async function insert(transaction: Transaction<Tables>, model: NewModel): Promise<void> {
  const row = toRow(model);
  row["row_checksum"] = checksum(row);
  const { seq } = await transaction
    .insertInto("model")
    .values(row as never)
    .returning("seq")
    .executeTakeFirstOrThrow();
  const names = [model.modelId, model.alias!].map((name) => ({ name, model_seq: seq }));
  await transaction.insertInto("model_name").values(names).execute();
  const tags = (model.tags ?? []).map((tag) => ({ tag, model_seq: seq }));
  if (tags.length > 0) await transaction.insertInto("model_tag").values(tags).execute();
  await sql`insert into model_search (rowid, text) select seq, text from model_search_text where seq = ${seq}`.execute(
    transaction,
  );
  await addEvent(transaction, row, "created", null, JSON.stringify(toRecord(row)));
}

/** Turns the pin of a model over: reads, checks and writes in Kysely's own transaction. */
export async function togglePin(db: Kysely<Tables>, name: string, at: number): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    const row = (await transaction
      .selectFrom("model_name")
      .innerJoin("model", "model.seq", "model_name.model_seq")
      .select(selection())
      .where("model_name.name", "=", name)
      .executeTakeFirstOrThrow()) as Row;
    const version = row["row_version"] as number;
    const before = row["pinned"] === 1;
    Object.assign(row, { pinned: before ? 0 : 1, updated_at: at, row_version: version + 1 });
    const { pinned, updated_at, row_version } = row;
    const { numUpdatedRows } = await transaction
      .updateTable("model")
      .set({ pinned, updated_at, row_version, row_checksum: checksum(row) } as never)
      .where("seq", "=", row["seq"] as never)
      .where("row_version", "=", version as never)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows !== 1n) throw new Error(`${name} was changed meanwhile.`);
    await addEvent(
      transaction,
      row,
      "updated",
      JSON.stringify({ pinned: before }),
      JSON.stringify({ pinned: !before }),
    );
  });
}

async function addEvent(
  transaction: Transaction<Tables>,
  row: Row,
  kind: string,
  before: string | null,
  after: string,
): Promise<void> {
  const { newest } = await transaction
    .selectFrom("model_event")
    .select((eb) => eb.fn.max<number | null>("event_id").as("newest"))
    .executeTakeFirstOrThrow();
  const event_id = (newest ?? 0) + 1;
  const values: Value[] = [
    event_id,
    row["model_id"]!,
    kind,
    "bench",
    row["updated_at"]!,
    row["row_version"]!,
    before,
    after,
  ];
  const [, model_id, , actor, at, row_version] = values as [number, string, string, string, number, number];
  const event = {
    event_id,
    model_id,
    kind,
    actor,
    at,
    row_version,
    before,
    after,
    row_checksum: digest(values),
  };
  await transaction.insertInto("model_event").values(event).execute();
}
