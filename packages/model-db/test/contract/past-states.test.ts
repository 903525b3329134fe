import fc from "fast-check";
import { describe, expect, vi } from "vitest";

import type { Model } from "../../src/index.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { arbitraryOperation, OPERATION_IDS, perform } from "./random-operations.ts";

describe.each(ENGINES)("what a model was at a time ($name)", ({ test, createStore }) => {
  test("is what reading it then has shown, after whatever changes", async () => {
    const step = fc.record({ operation: arbitraryOperation, milliseconds: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        vi.useFakeTimers({ toFake: ["Date"], now: 1000 });
        try {
          await using store = await createStore();
          const registry = await store.open();
          const seen = new Map<number, Map<string, Model | undefined>>();
          for (const { operation, milliseconds } of steps) {
            vi.setSystemTime(Date.now() + milliseconds);
            await perform(registry, operation, "somebody").catch(() => undefined);
            const state = new Map<string, Model | undefined>();
            for (const id of OPERATION_IDS) state.set(id, await registry.models.find(id));
            seen.set(Date.now(), state);
          }
          let state = new Map<string, Model | undefined>();
          for (let time = 998; time <= Date.now() + 2; time++) {
            state = seen.get(time) ?? state;
            for (const id of OPERATION_IDS) {
              expect(await registry.history.modelAt(id, time), `${id} at ${time}`).toEqual(state.get(id));
            }
          }
        } finally {
          vi.useRealTimers();
        }
      }),
      { numRuns: 35 },
    );
  }, 60_000);

  test("is undefined before it was created, after it was deleted, and for what never was", async ({
    registry,
  }) => {
    vi.useFakeTimers({ toFake: ["Date"], now: 1000 });
    try {
      const created = await registry.models.create(localModel("a", { alias: "alias", createdAt: 5 }));
      vi.setSystemTime(2000);
      await registry.models.delete("a");
      const at = (id: string, time: number): Promise<Model | undefined> => registry.history.modelAt(id, time);
      expect(await at("a", 999)).toBeUndefined();
      expect(await at("a", 1000)).toEqual(created);
      expect(await at("a", 1999)).toEqual(created);
      expect(await at("a", 2000)).toBeUndefined();
      expect(await at("alias", 1500)).toBeUndefined();
      expect(await at("none", 1500)).toBeUndefined();
      expect(await at("a", 253_402_300_799_999)).toBeUndefined();
    } finally {
      vi.useRealTimers();
    }
  });

  test("is right after more changes than fit into a page", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    await registry.transaction(async ({ models }) => {
      for (let index = 1; index <= 1200; index++) await models.update("a", { sizeBytes: index });
    });
    expect(await registry.history.modelAt("a", Date.now())).toEqual(await registry.models.get("a"));
  });

  test("is right when the wall clock went backwards in between", async ({ registry }) => {
    vi.useFakeTimers({ toFake: ["Date"], now: 5000 });
    try {
      await registry.models.create(localModel("a", { notes: "first" }));
      vi.setSystemTime(1000);
      const second = await registry.models.update("a", { notes: "second" });
      vi.setSystemTime(6000);
      expect(await registry.history.modelAt("a", 6000)).toEqual(second);
      expect(await registry.models.get("a")).toEqual(second);
    } finally {
      vi.useRealTimers();
    }
  });
});
