import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { openFixture } from "../src/fixture.ts";
import { getOne } from "../src/http/cases/get-one.ts";
import { sendLoad } from "../src/http/load.ts";
import { startPeer } from "../src/http/servers/index.ts";

test("servers are measured against each other", { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "cortex-bench-test-"));
  const fixture = await openFixture(100, folder);
  try {
    const effort = { clock: "own", rounds: 1, batchMs: 0 } as const;

    const { tables, goals } = await getOne.run({
      fixture,
      effort: { reads: effort, writes: effort, quick: true },
    });

    const [{ measurement, latencies }] = tables as [NonNullable<typeof tables>[0]];
    expect(measurement.names.map((name) => measurement.micros(name)).every((micros) => micros > 0)).toBe(
      true,
    );
    expect([...latencies!.values()].every(({ p99Ms }) => p99Ms > 0)).toBe(true);
    expect(goals!.every(({ measured }) => measured > 0)).toBe(true);
  } finally {
    fixture.dispose();
    rmSync(folder, { recursive: true });
  }
});

test("a load with another answer than expected is no measurement", { timeout: 30_000 }, async () => {
  await using bare = await startPeer("bare", "");

  const load = { port: bare.port, connections: 2, amount: 10, next: () => ({ path: "/" }) };

  expect((await sendLoad({ ...load, status: 200 })).latenciesMs).toHaveLength(10);
  await expect(sendLoad({ ...load, status: 404 })).rejects.toThrow("status 200");
});
