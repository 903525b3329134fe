import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect } from "vitest";

import { openRegistry, type ModelEvent, type Registry } from "../../src/index.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid, expectRefusal } from "./refusal.ts";

async function first(registry: Registry): Promise<ModelEvent | undefined> {
  for await (const event of registry.watch({ after: 0 })) return event;
  return undefined;
}

describe.each(ENGINES)("closing a registry ($name)", ({ test }) => {
  test.for(["never used", "used"])(
    "after it every call of a handle that was %s is refused",
    async (used, { registry, store }) => {
      if (used === "used") {
        await registry.models.create(localModel("a"));
        await registry.models.list();
        await registry.history.latestEventId();
        await first(registry);
      }
      const before = await store.dump();
      await registry.close();
      const { models, files, history, runs, transfers, transferWork } = registry;
      const calls: [string, () => Promise<unknown>][] = [
        ["create", () => models.create(localModel("b"))],
        ["createMany", () => models.createMany([])],
        ["find", () => models.find("a")],
        ["findByName", () => models.findByName("a")],
        ["get", () => models.get("a")],
        ["resolve", () => models.resolve("a")],
        ["resolveMany", () => models.resolveMany(["a"])],
        ["names", () => models.names({ prefix: "" })],
        ["list", () => models.list()],
        ["count", () => models.count()],
        ["update", () => models.update("a", {})],
        ["changeAliases", () => models.changeAliases("a", {})],
        ["repointAlias", () => models.repointAlias("x", "a")],
        ["changeTags", () => models.changeTags("a", {})],
        ["delete", () => models.delete("a")],
        ["files.list", () => files.list("a")],
        ["files.listMany", () => files.listMany(["a"])],
        ["files.listWithContent", () => files.listWithContent([])],
        ["files.listAt", () => files.listAt([])],
        ["files.put", () => files.put("a", { path: "p", role: "other" })],
        ["files.delete", () => files.delete("a", "p")],
        ["history.list", () => history.list()],
        ["history.modelAt", () => history.modelAt("a", 1)],
        ["history.latestEventId", () => history.latestEventId()],
        ["acquire", () => runs.acquire("a", { holder: "h" })],
        ["renew", () => runs.renew(1)],
        ["release", () => runs.release(1)],
        ["runs.list", () => runs.list()],
        ["transfers.get", () => transfers.get(1)],
        ["transfers.list", () => transfers.list()],
        ["transfers.pause", () => transfers.pause(1)],
        ["transferWork.claim", () => transferWork.claim()],
        ["transaction", () => registry.transaction(async () => 1)],
        ["schema", () => registry.schema()],
        ["migrate", () => registry.migrate()],
      ];
      for (const [what, call] of calls) await expectRefusal("registry_closed", call, what);
      expect(await store.dump()).toBe(before);
    },
  );

  test("waits for the changes that are under way", async ({ registry, store }) => {
    const creating = Promise.all(
      Array.from({ length: 100 }, (_, index) => registry.models.create(localModel(`m${index}`))),
    );
    await registry.close();
    expect(await creating).toHaveLength(100);
    expect(await (await store.open()).models.count()).toBe(100);
  });

  test("waits for a transaction that is under way", async ({ registry, store }) => {
    const working = registry.transaction(async ({ models }) => {
      await models.create(localModel("a"));
      await sleep(30);
      await models.create(localModel("b"));
    });
    await sleep(5);
    await registry.close();
    await working;
    expect(await (await store.open()).models.count()).toBe(2);
  });

  test("twice, or at the same time, is the same as once", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    await Promise.all([registry.close(), registry.close()]);
    await registry.close();
    await registry[Symbol.asyncDispose]();
  });

  test("happens at the end of a block that declared it with await using", async ({ store }) => {
    let kept: Registry;
    {
      await using registry = await openRegistry(store.location);
      await registry.models.create(localModel("a"));
      kept = registry;
    }
    await expectRefusal("registry_closed", kept.models.find("a"));
  });

  test("ends a watch without an error, whatever it is doing", async ({ store }) => {
    for (let round = 0; round < 12; round++) {
      const registry = await store.open();
      const seen: ModelEvent[] = [];
      const watching = (async () => {
        for await (const event of registry.watch({ after: 0 })) {
          seen.push(event);
          await Promise.resolve();
        }
      })();
      const creating = Promise.all(
        Array.from({ length: 5 }, (_, index) => registry.models.create(localModel(`m${round}-${index}`))),
      );
      await sleep(round * 6);
      await registry.close();
      await creating;
      await watching;
      expect(seen.map(({ eventId }) => eventId)).toEqual(seen.map((_, index) => index + 1));
    }
  });

  test("a watch begun afterwards gives nothing, and disturbs nobody when it is not looked at", async ({
    registry,
  }) => {
    await registry.models.create(localModel("a"));
    await registry.close();
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    try {
      const begin = async (): Promise<void> => void registry.watch();
      await begin().catch(() => undefined);
      await sleep(80);
    } finally {
      process.off("unhandledRejection", note);
    }
    expect(unhandled).toEqual([]);
    const watching = (async () => first(registry))();
    const outcome = await watching.catch((error: unknown) => (error as { code?: string }).code);
    expect([undefined, "registry_closed"]).toContain(outcome);
  });

  test("leaves other handles alone", async ({ registry, store }) => {
    const other = await store.open();
    await registry.models.create(localModel("a"));
    await registry.close();
    await other.models.create(localModel("b"));
    expect(await other.models.count()).toBe(2);
  });

  test("a registry that cannot be opened leaves nothing behind", async ({ store }) => {
    for (const options of [
      { actor: "" },
      { mode: "x" },
      { migrate: 1 },
      { busyTimeoutMs: -1 },
      { other: 1 },
      null,
      5,
    ]) {
      await expectInvalid(undefined, openRegistry(store.location, options as never), JSON.stringify(options));
      await expectRefusal("not_found", openRegistry(store.location, { mode: "write" }));
    }
  });
});
