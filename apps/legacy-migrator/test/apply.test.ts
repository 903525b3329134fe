import { join } from "node:path";

import { openRegistry } from "@cortex/model-db";
import { expect, test, vi } from "vitest";

import { migrate } from "../src/migrate.ts";
import { writeModelList } from "./old-data.ts";
import { registryModels } from "./registry-models.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const COUNT = 1200;

async function migrateLines(to: string): Promise<{ calls: number; created: number; merged: number }> {
  const data = temporaryFolder();
  const lines = Array.from(
    { length: COUNT },
    (_, index) => `m${index} x main /${index}.yml a${index} READY\n`,
  );
  writeModelList(data, lines.join(""));
  await using registry = await openRegistry(to);
  const createMany = vi.spyOn(Object.getPrototypeOf(registry.models) as typeof registry.models, "createMany");
  try {
    const { counts, verified } = await migrate({ from: data, to, env: {} });
    expect(verified?.mismatchCount).toBe(0);
    return { calls: createMany.mock.calls.length, created: counts.created, merged: counts.merged };
  } finally {
    createMany.mockRestore();
  }
}

test("an empty registry gets all models in one call", async () => {
  const to = join(temporaryFolder(), "registry.db");
  expect(await migrateLines(to)).toEqual({ calls: 1, created: COUNT, merged: 0 });
});

test("changes to models that are known come in between, and all of it is one transaction", async () => {
  const to = join(temporaryFolder(), "registry.db");
  {
    await using registry = await openRegistry(to);
    const known = Array.from({ length: COUNT / 100 }, (_, index) => `m${index * 100}`);
    await registry.models.createMany(known.map((modelId) => ({ modelId, sourceType: "local", alias: null })));
  }
  expect(await migrateLines(to)).toEqual({ calls: 1, created: COUNT - 12, merged: 12 });
  expect(Object.keys(await registryModels(to))).toHaveLength(COUNT);
});
