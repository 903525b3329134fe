import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect } from "vitest";

import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectRefusal } from "./refusal.ts";

describe.each(ENGINES)("changes that wait ($name)", ({ test }) => {
  test("may be awaited by a transaction that was begun with them", async ({ registry }) => {
    const change = registry.models.create(localModel("a"));
    await registry.transaction(async ({ models }) => {
      await change;
      await models.update("a", { notes: "seen" });
    });
    expect((await registry.models.get("a")).notes).toBe("seen");
  });

  test("do not wait for a transaction that was begun after them", async ({ registry }) => {
    const order: string[] = [];
    const change = registry.models.create(localModel("a")).then(() => order.push("change"));
    await registry.transaction(async () => {
      await sleep(50);
      order.push("transaction");
    });
    await change;
    expect(order).toEqual(["change", "transaction"]);
  });

  test("leave the event loop its turns, however many they are", async ({ registry }) => {
    const changes = Array.from({ length: 1000 }, (_, index) =>
      registry.models.create(localModel(`m${index}`)),
    );
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await Promise.all(changes);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });

  test("each keep the context of their caller", async ({ registry }) => {
    const user = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const createAs = (name: string): Promise<unknown> =>
      user.run(name, () =>
        registry.models.createMany(
          (function* () {
            seen.push(user.getStore());
            yield localModel(name);
          })(),
        ),
      );
    await Promise.all(["alice", "bob", "carol"].map(createAs));
    expect(seen).toEqual(["alice", "bob", "carol"]);
  });

  test("a read in a transaction is made in its turn, and sees nothing of what comes later", async ({
    registry,
  }) => {
    await registry.models.create(localModel("a"));
    await registry.transaction(async ({ models }) => {
      const read = models.get("a");
      const change = models.update("a", { notes: "later" });
      expect((await read).notes).toBeNull();
      await change;
    });
  });

  test("two programs that do not say which process they are do not share a lease", async ({
    store,
    registry,
  }) => {
    await registry.models.create(localModel("a"));
    await registry.runs.acquire("a", { holder: "engine" });
    const other = await store.open();
    await expectRefusal("model_running", other.runs.acquire("a", { holder: "engine", pid: process.pid + 1 }));
    await expect(registry.runs.acquire("a", { holder: "engine" })).resolves.toMatchObject({
      pid: process.pid,
    });
  });
});
