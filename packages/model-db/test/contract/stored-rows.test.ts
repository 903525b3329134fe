import fc from "fast-check";
import { describe, expect } from "vitest";

import type { Registry } from "../../src/index.ts";
import { toModelEvent, toEventRow, type EventTable } from "../../src/schema/event.ts";
import { toFileRow, toModelFile, type FileTable } from "../../src/schema/file.ts";
import { modelChecksum, toModel, toModelValues, type ModelRow } from "../../src/schema/model.ts";
import { ENGINES, type Store } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { arbitraryOperation, OPERATION_IDS, perform } from "./random-operations.ts";

async function rows<Row>(store: Store, table: string): Promise<Row[]> {
  return (await store.query(`SELECT * FROM ${table}`)) as Row[];
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}

async function expectSoundRows(store: Store): Promise<void> {
  const models = await rows<ModelRow>(store, "model");
  for (const row of models) {
    expect(row.row_checksum).toBe(modelChecksum(row));
    expect(toModelValues(toModel(row)).row_checksum).toBe(row.row_checksum);
  }
  for (const row of await rows<FileTable>(store, "model_file")) {
    expect(row).toEqual(toFileRow(row.model_id, toModelFile(row)));
  }
  for (const row of await rows<EventTable>(store, "model_event")) {
    expect(row).toEqual(toEventRow(toModelEvent(row)));
  }
  const names = models.flatMap((row) =>
    [
      ...new Set([
        row.model_id,
        ...(row.alias === null ? [] : [row.alias]),
        ...(JSON.parse(row.aliases) as string[]),
      ]),
    ].map((name) => ({ name, model_seq: row.seq })),
  );
  expect((await rows<{ name: string }>(store, "model_name")).toSorted(byName)).toEqual(
    names.toSorted(byName),
  );
  const tags = models.flatMap((row) => (JSON.parse(row.tags) as string[]).map((tag) => `${row.seq} ${tag}`));
  const stored = await rows<{ model_seq: number; tag: string }>(store, "model_tag");
  expect(stored.map(({ model_seq, tag }) => `${model_seq} ${tag}`).toSorted()).toEqual(tags.toSorted());
  const ids = new Set(models.map(({ model_id }) => model_id));
  for (const run of await rows<{ model_id: string }>(store, "model_run")) expect(ids).toContain(run.model_id);
}

describe.each(ENGINES)("stored rows ($name)", ({ test, createStore }) => {
  test("have the checksum of what they hold, and names and tags that agree with them, after whatever changes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryOperation, { minLength: 10, maxLength: 40 }), async (operations) => {
        await using store = await createStore();
        const registry = await store.open();
        for (const operation of operations)
          await perform(registry, operation, "somebody").catch(() => undefined);
        await expectSoundRows(store);
      }),
      { numRuns: 25 },
    );
  }, 30_000);

  test("are as sound when several handles make the changes at the same time, and the history tells each of them", async () => {
    const batch = fc.array(arbitraryOperation, { minLength: 2, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 4 }), async (batches) => {
        await using store = await createStore();
        const handles = [await store.open(), await store.open(), await store.open()];
        for (const operations of batches) {
          await Promise.all(
            operations.map(async (operation, index) => {
              const handle = handles[index % 3]!;
              const made =
                index % 4 === 3
                  ? handle.transaction(async () => {
                      throw new Error("undone");
                    })
                  : perform(handle, operation, "somebody");
              await made.catch(() => undefined);
            }),
          );
        }
        await expectSoundRows(store);
        const [{ models, history }] = handles as [Registry];
        for (const id of OPERATION_IDS) {
          expect(await history.modelAt(id, Date.now())).toEqual(await models.find(id));
          const { items } = await history.list({ modelId: id, order: "asc", limit: 1000 });
          let version = 0;
          for (const { kind, rowVersion } of items) {
            expect(rowVersion).toBe(kind === "created" ? 1 : kind === "deleted" ? version : version + 1);
            version = rowVersion;
          }
        }
      }),
      { numRuns: 20 },
    );
  }, 30_000);

  test("a checksum notices any change of any column", async ({ registry, store }) => {
    await registry.models.create(localModel("a", { files: [{ path: "p", role: "weights", sizeBytes: 8 }] }));
    const [row] = await rows<ModelRow>(store, "model");
    for (const column of Object.keys(row!) as (keyof ModelRow)[]) {
      if (column === "seq" || column === "row_checksum") continue;
      const changed = {
        ...row!,
        [column]: typeof row![column] === "number" ? row![column] + 1 : `${row![column]}x`,
      };
      expect(modelChecksum(changed), column).not.toBe(row!.row_checksum);
    }
    const [file] = await rows<FileTable>(store, "model_file");
    const other = toFileRow("a", { ...toModelFile(file!), sizeBytes: 9 });
    expect(other.row_checksum).not.toBe(file!.row_checksum);
    expect(file!.row_checksum).toMatch(/^[0-9a-f]{16}$/);
  });
});
