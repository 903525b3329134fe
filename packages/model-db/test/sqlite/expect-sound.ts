import Database from "better-sqlite3";
import { expect } from "vitest";

import type { Model, Registry } from "../../src/index.ts";
import { toEventRow, toModelEvent, type EventTable } from "../../src/schema/event.ts";
import { toModel, toModelValues, type ModelRow } from "../../src/schema/model.ts";

/** Uses the file of a registry behind its back, to read. */
export function look<T>(path: string, use: (database: Database.Database) => T): T {
  const database = new Database(path, { readonly: true });
  try {
    return use(database);
  } finally {
    database.close();
  }
}

/** Whatever an old program wrote has been seen: nothing waits, and rows are what our own code writes. */
export function expectSettled(path: string): void {
  look(path, (database) => {
    expect(database.prepare("SELECT * FROM model_unseen").all()).toEqual([]);
    for (const row of database.prepare<[], ModelRow>("SELECT * FROM model").all())
      expect(toModelValues(toModel(row))).toEqual({ ...row, seq: undefined });
    for (const row of database.prepare<[], EventTable>("SELECT * FROM model_event").all())
      expect(toEventRow(toModelEvent(row))).toEqual(row);
    expect(
      database.prepare("SELECT rowid FROM model_search ORDER BY rowid").pluck().all(),
      "what the search index knows",
    ).toEqual(database.prepare("SELECT seq FROM model ORDER BY seq").pluck().all());
  });
}

/** The history adds up to the present state, its ids are dense, and names stand for their models. */
export async function expectSound(registry: Registry): Promise<void> {
  const { items } = await registry.history.list({ order: "asc", limit: 1000 });
  expect(items.map(({ eventId }) => eventId)).toEqual(items.map((_, index) => index + 1));
  const versions = new Map<string, number>();
  for (const { modelId, kind, rowVersion } of items) {
    const before = versions.get(modelId) ?? 0;
    expect(rowVersion, `${kind} ${modelId}`).toBe(
      kind === "created" ? 1 : kind === "deleted" ? before : before + 1,
    );
    versions.set(modelId, rowVersion);
  }
  const models = (await registry.models.list({ limit: 1000 })).items;
  const present = new Map(models.map((model) => [model.modelId, model]));
  for (const modelId of versions.keys()) {
    const now = present.get(modelId);
    const told = await registry.history.modelAt(modelId, Date.now());
    if (now?.rowChecksum === "") expect(told && { ...told, rowChecksum: "" }, modelId).toEqual(now);
    else expect(told, modelId).toEqual(now);
  }
  const names = look(registry.location, (database) =>
    database
      .prepare<[], { name: string; model_id: string }>(
        "SELECT name, (SELECT model_id FROM model WHERE seq = model_seq) AS model_id FROM model_name",
      )
      .all(),
  );
  const wanted = models.flatMap(namesOf);
  expect(names.map(({ name, model_id }) => `${name} → ${model_id}`).toSorted()).toEqual(wanted.toSorted());
}

function namesOf({ modelId, alias, aliases }: Model): string[] {
  return [...new Set([modelId, ...(alias === null ? [] : [alias]), ...aliases])].map(
    (name) => `${name} → ${modelId}`,
  );
}
