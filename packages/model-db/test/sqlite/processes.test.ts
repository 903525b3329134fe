import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect } from "vitest";

import { openRegistry } from "../../src/index.ts";
import { startProcess, type StartedProcess } from "../processes/start.ts";
import { test } from "./folder.ts";

async function startTogether(processes: readonly StartedProcess[]): Promise<void> {
  await Promise.all(processes.map((one) => one.next("ready")));
  for (const one of processes) one.send("go");
}

describe("several processes", () => {
  test.for(["an empty place", "a file of an old schema"])(
    "ten that start at once on %s all succeed",
    { timeout: 30_000 },
    async (place, { folder }) => {
      const location = join(folder, "registry.db");
      if (place !== "an empty place") {
        await using registry = await openRegistry(location);
        await registry.models.create({ modelId: "there", sourceType: "local", alias: null });
        await registry.migrate(1);
      }
      const processes = Array.from({ length: 10 }, (_, index) =>
        startProcess("opener.ts", { location, id: `m${index}` }),
      );
      await startTogether(processes);
      const versions = await Promise.all(processes.map((one) => one.next("opened")));
      await Promise.all(processes.map((one) => one.ended));
      await using registry = await openRegistry(location);
      const { version, migrations } = await registry.schema();
      expect(versions).toEqual(processes.map(() => version));
      expect(migrations.every(({ appliedAt }) => appliedAt !== null)).toBe(true);
      expect(await registry.models.count()).toBe(place.includes("old") ? 11 : 10);
      expect((await registry.history.list({ kind: "created", limit: 100 })).items).toHaveLength(10);
    },
  );

  test("that want the same names: each name means exactly one model", async ({ folder }) => {
    const location = join(folder, "registry.db");
    await using registry = await openRegistry(location);
    const names = Array.from({ length: 60 }, (_, index) => `name-${index}`);
    const takers = [
      startProcess("name-taker.ts", { location, names, as: "id", who: "one" }),
      startProcess("name-taker.ts", { location, names, as: "alias", who: "two" }),
      startProcess("name-taker.ts", { location, names: names.toReversed(), as: "id", who: "three" }),
    ];
    await startTogether(takers);
    const results = await Promise.all(
      takers.map((one) => one.next<{ got: string[]; errors: string[] }>("got")),
    );
    expect(results.flatMap(({ errors }) => errors)).toEqual([]);
    expect(results.flatMap(({ got }) => got).toSorted()).toEqual(names.toSorted());
    for (const [index, { got }] of results.entries()) {
      for (const name of got) {
        const { modelId } = await registry.models.resolve(name);
        expect(modelId).toBe(index === 1 ? `two of ${name}` : name);
      }
    }
    expect(await registry.models.count()).toBe(60);
    await Promise.all(takers.map((one) => one.ended));
  }, 20_000);

  test(
    "that write all the time: none is refused as busy, and none starves",
    { retry: 2, timeout: 30_000 },
    async ({ folder }) => {
      const location = join(folder, "registry.db");
      await using registry = await openRegistry(location);
      const names = ["one", "two", "three", "four"];
      const writers = names.map((name) =>
        startProcess("writer.ts", { location, name, changes: 1_000_000, pauseMs: 0 }),
      );
      await startTogether(writers);
      await sleep(1500);
      for (const writer of writers) writer.kill("SIGTERM");
      for (const { errors } of await Promise.all(writers.map((writer) => writer.ended)))
        expect(errors).toBe("");
      const counts = await Promise.all(
        names.map((model_id) => registry.models.count({ filter: { model_id: { like: model_id } } })),
      );
      expect(Math.min(...counts) / Math.max(...counts), counts.join(", ")).toBeGreaterThan(0.3);
    },
  );

  test("see each other's changes at once", async ({ folder }) => {
    const location = join(folder, "registry.db");
    await using registry = await openRegistry(location);
    const other = startProcess("commits.ts", { location, rounds: 5, atOnce: 1 });
    for (let round = 0; round < 5; round++) {
      await other.next("committed");
      expect(await registry.models.find(`${round}.0`)).toBeDefined();
    }
    await other.ended;
  });

  test("that end without closing lose nothing and leave nothing locked", async ({ folder }) => {
    const location = join(folder, "registry.db");
    const ways = ["end", "throw", "exit"];
    const codes = await Promise.all(
      ways.map(async (way) => (await startProcess("forgetful.ts", { location, way }).ended).code),
    );
    expect(codes).toEqual([0, 1, 0]);
    await using registry = await openRegistry(location, { busyTimeoutMs: 0 });
    const { items } = await registry.models.list({ sort: { field: "model_id" } });
    expect(items.map(({ modelId }) => modelId)).toEqual(["end", "exit", "throw"]);
    await registry.models.create({ modelId: "after", sourceType: "local" });
  });
});
