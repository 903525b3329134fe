import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { CASES } from "../src/cases/index.ts";
import { openFixture, type OpenFixture } from "../src/fixture.ts";

const SIZE = 100;
// They start other processes, for seconds.
const SLOW = new Set(["writers", "cold-start", "sync"]);

let folder: string;
let fixture: OpenFixture;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cortex-bench-test-"));
  fixture = await openFixture(SIZE, folder);
});
afterAll(() => {
  fixture.dispose();
  rmSync(folder, { recursive: true });
});

test.for(CASES.filter(({ name, sizes }) => sizes?.(SIZE) !== false && !SLOW.has(name)))(
  "$name gives numbers",
  { timeout: 30_000 },
  async ({ run }) => {
    const effort = {
      reads: { clock: "cpu", rounds: 1, batchMs: 0 },
      writes: { clock: "wall", rounds: 1, batchMs: 0 },
      quick: true,
    } as const;

    const { tables = [], facts = [], goals = [] } = await run({ fixture, effort });

    const times = tables.flatMap(({ measurement }) =>
      measurement.names.map((name) => measurement.micros(name)),
    );
    const numbers = [...times, ...facts.map(({ value }) => value), ...goals.map(({ measured }) => measured)];
    expect(numbers.length).toBeGreaterThan(0);
    expect(numbers.every(Number.isFinite)).toBe(true);
  },
);
