import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";

import Database from "better-sqlite3";
import { expect, vi } from "vitest";

import { nextStep, readStructure } from "../../src/database/sqlite/settle-search.ts";
import { openRegistry } from "../../src/index.ts";
import { test } from "./folder.ts";

function partsOf(path: string): readonly number[] {
  const database = new Database(path, { readonly: true });
  const block = database
    .prepare<[], Buffer>("SELECT block FROM model_search_data WHERE id = 10")
    .pluck()
    .get()!;
  database.close();
  return readStructure(block).pages;
}

test("a registry at rest has a search index of one part, whatever was created, changed and deleted one by one", async ({
  folder,
}) => {
  const path = join(folder, "registry.db");
  await using registry = await openRegistry(path);
  for (let index = 0; index < 60; index++)
    await registry.models.create({ modelId: `model-${index}`, sourceType: "local", notes: "a needle" });
  for (let index = 0; index < 20; index++)
    await registry.models.update(`model-${index}`, { notes: "changed" });
  for (let index = 20; index < 25; index++) await registry.models.delete(`model-${index}`);
  expect(partsOf(path).length).toBeGreaterThan(1);

  await vi.waitFor(() => expect(partsOf(path)).toHaveLength(1), { timeout: 10_000, interval: 50 });

  expect(await registry.models.count({ search: "needle" })).toBe(35);
  expect(await registry.models.count({ search: "changed" })).toBe(20);
  await registry.models.create({ modelId: "one-more", sourceType: "local", notes: "a needle" });
  expect(await registry.models.count({ search: "needle" })).toBe(36);
});

test("a settling that another writer holds up is made up for", async ({ folder }) => {
  const path = join(folder, "registry.db");
  await using registry = await openRegistry(path);
  for (let index = 0; index < 20; index++)
    await registry.models.create({ modelId: `model-${index}`, sourceType: "local" });
  const other = new Database(path);
  other.exec("BEGIN IMMEDIATE");
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(partsOf(path).length).toBeGreaterThan(1);
  other.exec("ROLLBACK");
  other.close();

  await vi.waitFor(() => expect(partsOf(path)).toHaveLength(1), { timeout: 10_000, interval: 50 });
});

test("a registry that was set aside is left as it is", async ({ folder }) => {
  const path = join(folder, "registry.db");
  const setAside = join(folder, "aside.db");
  await using registry = await openRegistry(path);
  for (let index = 0; index < 20; index++)
    await registry.models.create({ modelId: `model-${index}`, sourceType: "local" });
  for (const end of ["-wal", "-shm", ""]) renameSync(path + end, setAside + end);
  const before = readFileSync(`${setAside}-wal`);

  await new Promise((resolve) => setTimeout(resolve, 1200));

  expect(readFileSync(`${setAside}-wal`).equals(before)).toBe(true);
});

test("a record of parts that is cut off has an end", () => {
  // No deletions, two levels, two parts, and the number of changes, which would go on.
  expect(() => readStructure(Buffer.from([0, 0, 0, 1, 2, 2, 0x80, 0x80]))).toThrow(RangeError);
});

test.for([
  { pages: [], isMerging: false, step: "nothing" },
  { pages: [10_000], isMerging: false, step: "nothing" },
  { pages: [1, 1], isMerging: false, step: "merge all" },
  { pages: [10_000, 1, 2, 150], isMerging: false, step: "nothing" },
  { pages: [10_000, 1, 2, 170], isMerging: false, step: "merge all" },
  { pages: [10_000, 1], isMerging: true, step: "go on" },
])("with parts of $pages pages the next step is: $step", ({ step, ...parts }) => {
  expect(nextStep(parts)).toBe(step);
});
