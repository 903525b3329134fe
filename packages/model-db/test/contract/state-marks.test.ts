import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect } from "vitest";

import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";

const SHORT_MS = 1000;
const HOUR_MS = 3_600_000;

describe.concurrent.each(ENGINES)("the mark of a state ($name)", { retry: 2 }, ({ test }) => {
  test("stays while nothing happens, in each process and after a restart", async ({ store, registry }) => {
    await registry.models.create(localModel("a"));
    const mark = await registry.stateMark();
    const other = await store.open();
    expect(await registry.stateMark()).toBe(mark);
    expect(await other.stateMark()).toBe(mark);
    await registry.close();
    await other.close();
    expect(await (await store.open()).stateMark()).toBe(mark);
  });

  test("is another after every change, one's own and others'", async ({ store, registry }) => {
    const other = await store.open();
    const marks = [await registry.stateMark()];
    const note = async (): Promise<void> => {
      marks.push(await registry.stateMark());
      expect(await other.stateMark()).toBe(marks.at(-1));
    };
    for (const { models, runs } of [registry, other]) {
      const modelId = `m${marks.length}`;
      await models.create(localModel(modelId));
      await note();
      await models.update(modelId, { notes: "n" });
      await note();
      const { token } = await runs.acquire(modelId, { holder: "engine", ttlMs: HOUR_MS });
      await note();
      await runs.release(token);
      await note();
      await models.delete(modelId);
      await note();
    }
    expect(new Set(marks).size).toBe(marks.length);
  });

  test("is another when a lease runs out", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    await registry.models.create(localModel("b"));
    await registry.runs.acquire("b", { holder: "engine", ttlMs: HOUR_MS });
    await registry.runs.acquire("a", { holder: "engine", ttlMs: SHORT_MS });
    const mark = await registry.stateMark();
    expect((await registry.models.get("a")).status).toBe(1);
    expect(await registry.stateMark()).toBe(mark);
    await sleep(SHORT_MS + 50);
    expect((await registry.models.get("a")).status).toBe(0);
    expect(await registry.stateMark()).not.toBe(mark);
  });
});
