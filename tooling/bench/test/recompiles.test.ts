import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openRegistry } from "@cortex/model-db";
import { afterAll, beforeAll, expect, test } from "vitest";

import { recompile } from "../src/cases/recompile.ts";
import { openRaw } from "../src/contenders/raw.ts";
import { models } from "../src/dataset.ts";
import { openFixture, type OpenFixture } from "../src/fixture.ts";
import { RecompileWatch } from "../src/recompiles.ts";

let folder: string;
let fixture: OpenFixture;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cortex-recompiles-"));
  fixture = await openFixture(100, folder);
});
afterAll(() => {
  fixture.dispose();
  rmSync(folder, { recursive: true });
});

test("no statement of the registry is compiled again because it gets other values", async () => {
  const { goals } = await recompile.run({ fixture, effort: {} as never });

  expect(goals!.map(({ measured }) => measured)).toEqual([0, 0]);
});

test("a statement that is compiled again is noticed", async () => {
  const path = join(folder, "noticed.db");
  const watch = new RecompileWatch();
  try {
    await using registry = await openRegistry(path);
    await registry.models.createMany(models(0, 10));
    await registry.models.resolve("model-1");
    const naive = openRaw(path, { readonly: true });
    const bound = naive.prepare("SELECT * FROM model ORDER BY seq LIMIT ?");
    watch.arm();

    expect(await watch.count(() => registry.models.resolve("model-2"))).toBe(0);
    expect(await watch.count(() => bound.all(1))).toBe(1);

    // Another schema makes every statement expire.
    const other = openRaw(path);
    other.exec("CREATE TABLE another (a)");
    other.close();
    expect(await watch.count(() => registry.models.resolve("model-3"))).toBeGreaterThan(0);
    naive.close();
  } finally {
    watch.stop();
  }
});
