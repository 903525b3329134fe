import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { openRegistry } from "@cortex/model-db";
import { EventSource } from "eventsource";
import { test as base, describe, expect } from "vitest";

import { EventReader } from "../../event-reader.ts";
import { startServiceProcess } from "../../service-process.ts";

const test = base.extend<{ location: string }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads the names of fixtures from here
  location: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), "hono-server-events-"));
    await use(join(folder, "registry.db"));
    rmSync(folder, { recursive: true, force: true });
  },
});

// More than the buffers of a connection hold.
const BURST = 30_000;

function local(modelId: string) {
  return { modelId, sourceType: "local" as const, alias: null };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

describe("GET /v1/events", () => {
  test("200: a client misses and doubles nothing while its service is killed and started again", async ({
    location,
  }) => {
    let service = await startServiceProcess(location);
    const { port } = service;
    const ids: number[] = [];
    const source = new EventSource(`${service.url}/v1/events?after=0`);
    source.addEventListener("created", ({ lastEventId }) => void ids.push(Number(lastEventId)));
    try {
      let models = 0;
      for (let round = 0; round < 3; round++) {
        ({ models } = await service.change(50));
        // Some of these are still on their way to the client, or not acknowledged, when it ends.
        const last = service.change(200).catch(() => undefined);
        await sleep(30 * round);
        await service.kill();
        await last;
        service = await startServiceProcess(location, { port });
      }
      ({ models } = await service.change(1));
      await expect.poll(() => ids.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(models);
      expect(ids).toEqual(range(1, models));
    } finally {
      source.close();
      await service.kill();
    }
  });

  test("200: a thousand listeners each get a burst of changes, all of it, in order, once", async ({
    location,
  }) => {
    const service = await startServiceProcess(location);
    try {
      const before = await service.change(10);
      const readers = await Promise.all(
        Array.from({ length: 1000 }, (_, index) =>
          EventReader.open(`${service.url}/v1/events${index % 10 === 0 ? "?after=0" : ""}`),
        ),
      );
      // From here on it is known where each begins.
      const firsts = await Promise.all(readers.map((reader) => reader.nextEvent()));
      const reading = readers.map(async (reader, index) => {
        const isBehind = index % 10 === 0;
        const ids = [
          ...(isBehind ? [Number(firsts[index]!.id)] : []),
          ...(await reader.nextIds(isBehind ? 109 : 100)),
        ];
        return ids.join() === range(isBehind ? 1 : 11, 110).join();
      });
      const after = await service.change(100);
      const right = await Promise.all(reading);
      expect(right.filter((isRight) => !isRight)).toEqual([]);
      for (const reader of readers) reader[Symbol.dispose]();
      expect(after.mostBytes - before.mostBytes).toBeLessThan(300 * 1024 * 1024);
    } finally {
      await service.kill();
    }
  }, 240_000);

  test("200: a slow reader is cut off with a word why, and resumes where it was", async ({ location }) => {
    const service = await startServiceProcess(location, {
      options: { recentEvents: { events: 256, bytes: 262_144 } },
    });
    try {
      await using registry = await openRegistry(location);
      using slow = await EventReader.open(`${service.url}/v1/events`);
      using quick = await EventReader.open(`${service.url}/v1/events`);
      await Promise.all([slow.nextEvent(), quick.nextEvent()]);
      const reading = quick.nextIds(BURST);
      await registry.models.createMany(Array.from({ length: BURST }, (_, index) => local(`m${index}`)));
      expect(await reading).toEqual(range(1, BURST));

      const blocks = await slow.rest();
      expect(blocks.pop()?.comment).toContain("cut off: this reader is slower than the events");
      const got = blocks.map(({ id }) => Number(id));
      expect(got).toEqual(range(1, got.length));
      expect(got.length).toBeLessThan(BURST);
      using again = await EventReader.open(`${service.url}/v1/events`, {
        "last-event-id": String(got.length),
      });
      expect(await again.nextIds(BURST - got.length)).toEqual(range(got.length + 1, BURST));
    } finally {
      await service.kill();
    }
  }, 120_000);

  test("200: a client that takes nothing any more is let go", async ({ location }) => {
    const service = await startServiceProcess(location, { options: { heartbeatMs: 100 } });
    try {
      await using registry = await openRegistry(location);
      await registry.models.createMany(Array.from({ length: BURST }, (_, index) => local(`m${index}`)));
      using silent = await EventReader.open(`${service.url}/v1/events?after=0`);
      await silent.next();
      await sleep(2000);
      const blocks = await silent.rest();
      expect(blocks.length).toBeGreaterThan(0);
      expect(blocks.length).toBeLessThan(BURST);
    } finally {
      await service.kill();
    }
  }, 120_000);
});
