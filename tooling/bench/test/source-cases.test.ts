import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { openFixture, type OpenFixture } from "../src/fixture.ts";
import { SOURCE_CASES } from "../src/sources/cases/index.ts";

let folder: string;
let fixture: OpenFixture;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cortex-bench-test-"));
  fixture = await openFixture(100, folder);
});
afterAll(() => {
  fixture.dispose();
  rmSync(folder, { recursive: true });
});

test.for(SOURCE_CASES)("$name gives numbers", { timeout: 120_000 }, async ({ run }) => {
  const effort = {
    reads: { clock: "own", rounds: 1, batchMs: 0 },
    writes: { clock: "own", rounds: 1, batchMs: 0 },
    quick: true,
  } as const;
  const { facts = [], goals = [], skipped } = await run({ fixture, effort });
  const numbers = [...facts.map(({ value }) => value), ...goals.map(({ measured }) => measured)];
  expect(skipped !== undefined || numbers.length > 0).toBe(true);
  expect(numbers.every((number) => Number.isFinite(number) && number > 0)).toBe(true);
});
