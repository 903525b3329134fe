import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect } from "vitest";

import type { ModelEvent, Registry, WatchOptions } from "../../src/index.ts";
import { startProcess } from "../processes/start.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid } from "./refusal.ts";

/** The next events of a watch, as many as asked for. */
async function take(registry: Registry, count: number, options: WatchOptions): Promise<ModelEvent[]> {
  const events: ModelEvent[] = [];
  for await (const event of registry.watch(options)) {
    events.push(event);
    if (events.length === count) break;
  }
  return events;
}

const ids = (events: readonly ModelEvent[]): number[] => events.map(({ eventId }) => eventId);

describe.each(ENGINES)("watching ($name)", ({ test }) => {
  test("after 0 replays everything there was, in order, as the history has it", async ({ registry }) => {
    await registry.models.createMany(Array.from({ length: 1300 }, (_, index) => localModel(`m${index}`)));
    await registry.models.update("m0", { notes: "n" });
    await registry.models.delete("m1");
    const events = await take(registry, 1302, { after: 0 });
    expect(ids(events)).toEqual(Array.from({ length: 1302 }, (_, index) => index + 1));
    const { items } = await registry.history.list({ limit: 1000 });
    expect(events.toReversed().slice(0, 1000)).toEqual(items);
  });

  test("after an event goes on behind it", async ({ registry }) => {
    await registry.models.createMany([localModel("a"), localModel("b"), localModel("c")]);
    expect(ids(await take(registry, 1, { after: 2 }))).toEqual([3]);
  });

  test("without after begins at the call: what came before is not shown, what comes after is", async ({
    registry,
  }) => {
    await registry.models.create(localModel("before"));
    const watch = registry.watch();
    await registry.models.create(localModel("after"));
    await sleep(100);
    await registry.models.create(localModel("much later"));
    const events: ModelEvent[] = [];
    for await (const event of watch) if (events.push(event) === 2) break;
    expect(events.map(({ modelId }) => modelId)).toEqual(["after", "much later"]);
  });

  test("begins at the call also on a handle that has done nothing yet", async ({ store }) => {
    for (let round = 0; round < 10; round++) {
      const registry = await store.open();
      const watch = registry.watch();
      await registry.models.create(localModel(`round ${round}`));
      const { value } = await watch.next();
      expect(value?.modelId).toBe(`round ${round}`);
      await watch.return(undefined);
      await registry.close();
    }
  });

  test("shows changes as they come, and none that was undone", async ({ registry }) => {
    const taking = take(registry, 6, {});
    await registry.models.create(localModel("a"));
    await registry.models.create(localModel("a")).catch(() => undefined);
    const undone = registry.transaction(async ({ models }) => {
      await models.create(localModel("undone"));
      throw new Error("undone");
    });
    await undone.catch(() => undefined);
    await registry.transaction(async ({ models }) => {
      await models.create(localModel("b"));
      await sleep(80);
      await models.create(localModel("c"));
    });
    await registry.models.createMany([localModel("d"), localModel("e")]);
    await registry.models.update("a", { notes: "n" });
    const events = await taking;
    expect(events.map(({ modelId, kind }) => `${modelId} ${kind}`)).toEqual([
      "a created",
      "b created",
      "c created",
      "d created",
      "e created",
      "a updated",
    ]);
  });

  test("shows only what its filters let through, and misses nothing of it", async ({ registry }) => {
    const tasks: [WatchOptions, string[]][] = [
      [{ modelId: "b" }, ["created b one", "tagged b two", "updated b one"]],
      [{ actor: "two" }, ["created c two", "tagged b two"]],
      [{ kind: "created" }, ["created a one", "created b one", "created c two"]],
      [{ kind: ["tagged", "updated"] }, ["tagged b two", "updated b one"]],
      [{ modelId: "b", actor: "one", kind: "updated" }, ["updated b one"]],
    ];
    const watching = tasks.map(
      async ([options, expected]) => [await take(registry, expected.length, options), expected] as const,
    );
    const [one, two] = [{ actor: "one" }, { actor: "two" }];
    await registry.models.create(localModel("a"), one);
    await sleep(70);
    await registry.models.create(localModel("b"), one);
    await registry.models.create(localModel("c"), two);
    await sleep(70);
    await registry.models.changeTags("b", { add: ["t"] }, two);
    await registry.models.update("b", { notes: "n" }, one);
    for (const [events, expected] of await Promise.all(watching)) {
      expect(events.map(({ kind, modelId, actor }) => `${kind} ${modelId} ${actor}`)).toEqual(expected);
    }
  });

  test("several watches do not disturb each other", async ({ registry }) => {
    const watches = Array.from({ length: 10 }, () => take(registry, 20, { after: 0 }));
    for (let index = 0; index < 20; index++) await registry.models.create(localModel(`m${index}`));
    for (const events of await Promise.all(watches))
      expect(ids(events)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  test("a slow reader misses nothing and holds nobody up", async ({ registry }) => {
    const seen: number[] = [];
    const watching = (async () => {
      for await (const event of registry.watch({ after: 0 })) {
        seen.push(event.eventId);
        await sleep(4);
        if (seen.length === 60) return;
      }
    })();
    for (let index = 0; index < 60; index++) await registry.models.create(localModel(`m${index}`));
    await watching;
    expect(seen).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  });

  test("a signal ends it at once, also while nothing happens, and also when it was given before", async ({
    registry,
  }) => {
    await registry.models.create(localModel("a"));
    const controller = new AbortController();
    const watching = take(registry, 99, { after: 0, signal: controller.signal });
    await sleep(120);
    const start = performance.now();
    controller.abort();
    expect(ids(await watching)).toEqual([1]);
    expect(performance.now() - start).toBeLessThan(100);
    expect(await take(registry, 99, { after: 0, signal: AbortSignal.abort() })).toEqual([]);
    expect(await take(registry, 99, { signal: AbortSignal.timeout(60) })).toEqual([]);
  });

  test("closing the registry ends it", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    const watching = take(registry, 99, { after: 0 });
    await sleep(80);
    await registry.close();
    expect(ids(await watching)).toEqual([1]);
  });

  test("a read-only handle can watch", async ({ registry, store }) => {
    const reader = await store.open({ mode: "read" });
    const taking = take(reader, 1, {});
    await registry.models.create(localModel("a"));
    expect(await taking).toMatchObject([{ modelId: "a" }]);
  });

  test("after an event that is still to come waits for those behind it", async ({ registry }) => {
    const taking = take(registry, 1, { after: 2 });
    for (const id of ["a", "b", "c"]) {
      await registry.models.create(localModel(id));
      await sleep(60);
    }
    expect(await taking).toMatchObject([{ eventId: 3, modelId: "c" }]);
  });

  test("an unknown filter, kind or place is refused", async ({ registry }) => {
    const refused: [string, unknown][] = [
      ["kind", { kind: "create" }],
      ["kind", { kind: [] }],
      ["after", { after: -1 }],
      ["after", { after: 1.5 }],
      ["after", { after: "0" }],
      ["model_id", { modelId: "" }],
      ["actor", { actor: 5 }],
      ["signal", { signal: "x" }],
      ["signal", { signal: { aborted: true } }],
      ["from", { from: 1 }],
    ];
    for (const [field, options] of refused) {
      await expectInvalid(
        field,
        async () => take(registry, 1, options as WatchOptions),
        JSON.stringify(options),
      );
    }
  });

  test("shows what other processes change within 250 ms", { retry: 2 }, async ({ registry, store }) => {
    const writer = startProcess("writer.ts", {
      location: store.location,
      name: "w",
      changes: 12,
      pauseMs: 60,
    });
    await writer.next("ready");
    const delays: number[] = [];
    const watching = (async () => {
      for await (const event of registry.watch()) {
        delays.push(Date.now() - event.at);
        if (delays.length === 12) return;
      }
    })();
    await sleep(50);
    writer.send("go");
    await watching;
    await writer.ended;
    expect(Math.max(...delays)).toBeLessThan(250);
  });

  test("misses and repeats nothing while several processes write in batches", async ({ registry, store }) => {
    const changes = 150;
    const names = ["one", "two", "three"];
    const writers = names.map((name) =>
      startProcess("writer.ts", { location: store.location, name, changes, pauseMs: 0 }),
    );
    await Promise.all(writers.map((writer) => writer.next("ready")));
    const total = changes * names.length;
    const watches = [
      take(registry, total, { after: 0 }),
      take(await store.open({ mode: "read" }), total, {}),
      take(registry, changes, { actor: "two" }),
    ];
    for (const writer of writers) writer.send("go");
    const [all, fromNow, two] = await Promise.all(watches);
    for (const writer of writers) expect(await writer.next("done")).toBe(changes);
    for (const writer of writers) expect((await writer.ended).errors).toBe("");
    expect(ids(all!)).toEqual(Array.from({ length: total }, (_, index) => index + 1));
    expect(ids(fromNow!)).toEqual(ids(all!));
    expect(two!.map(({ modelId }) => modelId)).toEqual(
      Array.from({ length: changes }, (_, index) => `two-${index}`),
    );
    expect(all!.some(({ modelId }) => modelId.includes("undone"))).toBe(false);
  }, 30_000);
});
