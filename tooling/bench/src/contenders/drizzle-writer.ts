import type { NewModel } from "@cortex/model-db";
import { and, eq, max, sql } from "drizzle-orm";

import * as tables from "./drizzle.ts";
import { checksum, digest, toRecord, toRow, type Row, type Value } from "./row.ts";

type Drizzle = ReturnType<typeof tables.openDrizzle>;
type Transaction = Parameters<Parameters<Drizzle["transaction"]>[0]>[0];

/** Adds one model with Drizzle's own transaction: the same rows as the registry writes. */
export function create(db: Drizzle, model: NewModel): void {
  createMany(db, [model]);
}

/** Adds models in one transaction. */
export function createMany(db: Drizzle, models: Iterable<NewModel>): void {
  db.transaction(
    (transaction) => {
      for (const model of models) insert(transaction, model);
    },
    { behavior: "immediate" },
  );
}

function insert(transaction: Transaction, model: NewModel): void {
  const row = toRow(model);
  row["row_checksum"] = checksum(row);
  const { seq } = transaction
    .insert(tables.model)
    .values(row as never)
    .returning({ seq: tables.model.seq })
    .get();
  const names = [model.modelId, model.alias!].map((name) => ({ name, model_seq: seq }));
  transaction.insert(tables.modelName).values(names).run();
  const tags = (model.tags ?? []).map((tag) => ({ tag, model_seq: seq }));
  if (tags.length > 0) transaction.insert(tables.modelTag).values(tags).run();
  transaction.run(
    sql`insert into model_search (rowid, text) select seq, text from model_search_text where seq = ${seq}`,
  );
  addEvent(transaction, row, "created", null, JSON.stringify(toRecord(row)));
}

/** Turns the pin of a model over: reads, checks and writes in Drizzle's own transaction. */
export function togglePin(db: Drizzle, name: string, at: number): void {
  db.transaction(
    (transaction) => {
      const row = transaction
        .select(tables.selection)
        .from(tables.model)
        .innerJoin(tables.modelName, eq(tables.modelName.model_seq, tables.model.seq))
        .where(eq(tables.modelName.name, name))
        .get()! as Row & { seq: number };
      const version = row["row_version"] as number;
      const before = row["pinned"] === 1;
      Object.assign(row, { pinned: before ? 0 : 1, updated_at: at, row_version: version + 1 });
      const { pinned, updated_at, row_version } = row;
      const { changes } = transaction
        .update(tables.model)
        .set({ pinned, updated_at, row_version, row_checksum: checksum(row) } as never)
        .where(and(eq(tables.model.seq, row.seq), eq(tables.model.row_version, version)))
        .run();
      if (changes !== 1) throw new Error(`${name} was changed meanwhile.`);
      addEvent(
        transaction,
        row,
        "updated",
        JSON.stringify({ pinned: before }),
        JSON.stringify({ pinned: !before }),
      );
    },
    { behavior: "immediate" },
  );
}

function addEvent(
  transaction: Transaction,
  row: Row,
  kind: string,
  before: string | null,
  after: string,
): void {
  const newest = transaction
    .select({ event_id: max(tables.modelEvent.event_id) })
    .from(tables.modelEvent)
    .get();
  const event_id = (newest?.event_id ?? 0) + 1;
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
  transaction.insert(tables.modelEvent).values(event).run();
}
