import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect } from "vitest";

import type { Registry, Repositories } from "../../src/index.ts";
import { ENGINES, type Store } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid, expectRefusal } from "./refusal.ts";

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
};

const turnOnce = (): Promise<void> => turns(1);

async function expectTwoThirds(registry: Registry, store: Store): Promise<void> {
  await registry.close();
  const reopened = await store.open();
  const { items } = await reopened.models.list({ limit: 1000 });
  const expected = Array.from({ length: 16 }, (_, index) => `m${index}`).filter(
    (_, index) => index % 3 !== 0,
  );
  expect(items.map(({ modelId }) => modelId).toSorted()).toEqual([...expected, "taken"].toSorted());
}

describe.each(ENGINES)("transactions ($name)", ({ test }) => {
  test("give what the work gives, and make all of its changes", async ({ registry, store }) => {
    const result = await registry.transaction(async ({ models, files, runs }) => {
      await models.create(localModel("a"));
      await models.createMany([localModel("b"), localModel("c")]);
      await files.put("a", { path: "p", role: "weights" });
      const { token } = await runs.acquire("b", { holder: "h" });
      await models.delete("c");
      return token;
    });
    expect((await registry.runs.list())[0]!.token).toBe(result);
    await registry.close();
    const reopened = await store.open();
    expect((await reopened.models.list()).items).toMatchObject([
      { modelId: "b", status: 1 },
      { modelId: "a" },
    ]);
    expect(await reopened.files.list("a")).toHaveLength(1);
  });

  test("make none of the changes when the work throws, and throw what it threw", async ({
    registry,
    store,
  }) => {
    await registry.models.create(localModel("a", { alias: "x", tags: ["t"] }));
    const before = await store.dump();
    const thrown = new Error("changed my mind");
    const work = async ({ models, files, runs }: Repositories): Promise<void> => {
      await models.create(localModel("b"));
      await models.update("a", { notes: "n" });
      await models.changeTags("a", { remove: ["t"] });
      await models.changeAliases("a", { remove: ["x"] });
      await files.put("a", { path: "p", role: "weights" });
      await runs.acquire("b", { holder: "h" });
      await models.delete("a");
      throw thrown;
    };
    await expect(registry.transaction(work)).rejects.toBe(thrown);
    expect(await store.dump()).toBe(before);
    await expect(registry.transaction(() => Promise.reject(thrown))).rejects.toBe(thrown);
    const sync = (): never => {
      throw thrown;
    };
    await expect(registry.transaction(sync)).rejects.toBe(thrown);
    expect(await store.dump()).toBe(before);
    await registry.models.create(localModel("the registry goes on"));
  });

  test("make none of the changes when one of them is refused", async ({ registry, store }) => {
    await registry.models.create(localModel("a"));
    const before = await store.dump();
    const work = registry.transaction(async ({ models }) => {
      await models.create(localModel("b"));
      await models.create(localModel("a"));
    });
    await expectRefusal("name_taken", work);
    expect(await store.dump()).toBe(before);
  });

  test("read their own changes, which nobody else sees before the end", async ({ registry, store }) => {
    const other = await store.open();
    const outside: [string, Pick<Repositories, "models" | "history">][] = [
      ["the same handle", registry],
      ["another handle", other],
    ];
    await registry.models.create(localModel("a", { notes: "before" }));
    const latest = await registry.history.latestEventId();
    await registry.transaction(async ({ models, files, history, runs }) => {
      await models.update("a", { notes: "after", alias: "x" });
      await models.create(localModel("b", { tags: ["t"] }));
      await files.put("b", { path: "p", role: "weights" });
      await runs.acquire("b", { holder: "h" });
      expect(await models.get("a")).toMatchObject({ notes: "after", rowVersion: 2 });
      expect(await models.resolve("x")).toMatchObject({ modelId: "a" });
      expect((await models.resolveMany(["x", "b"])).size).toBe(2);
      expect(await models.names({ prefix: "" })).toHaveLength(3);
      expect(await models.count({ tags: { all: ["t"] }, filter: { status: 1 } })).toBe(1);
      expect(await models.count({ search: "after" })).toBe(1);
      await models.createMany([localModel("many-1", { alias: "many-alias" }), localModel("many-2")]);
      expect(await models.count({ search: "many" })).toBe(2);
      expect(await models.resolve("many-alias")).toMatchObject({ modelId: "many-1" });
      await models.createMany([localModel("many-1"), localModel("many-3")], { onExisting: "skip" });
      expect(await models.count({ search: "many" })).toBe(3);
      for (const id of ["many-1", "many-2", "many-3"]) await models.delete(id);
      expect(await models.count({ search: "many" })).toBe(0);
      expect((await models.list({ total: true })).total).toBe(2);
      expect(await files.list("b")).toHaveLength(1);
      expect(await runs.list({ name: "b" })).toHaveLength(1);
      expect((await history.list()).items).toHaveLength(11);
      expect(await history.latestEventId()).toBeGreaterThan(latest);
      expect(await history.modelAt("b", Date.now())).toMatchObject({ status: 1 });
      for (const [who, { models: seen, history: told }] of outside) {
        expect(await seen.get("a"), who).toMatchObject({ notes: "before" });
        expect(await seen.find("b"), who).toBeUndefined();
        expect(await told.latestEventId(), who).toBe(latest);
      }
    });
    for (const [who, { models }] of outside)
      expect(await models.get("a"), who).toMatchObject({ notes: "after" });
  });

  test("a refused change that the work catches is undone alone; the rest stays", async ({ registry }) => {
    await registry.models.create(localModel("taken"));
    await registry.transaction(async ({ models }) => {
      await models.create(localModel("a"));
      await expectRefusal("name_taken", models.create(localModel("b", { aliases: ["free", "taken"] })));
      await expectRefusal("name_taken", models.update("a", { notes: "never", alias: "taken" }));
      await expectRefusal("name_taken", models.createMany([localModel("c"), localModel("a")]));
      await expectRefusal("model_not_found", models.repointAlias("x", "none"));
      expect(await models.find("b")).toBeUndefined();
      expect(await models.findByName("free")).toBeUndefined();
      await models.create(localModel("d", { alias: "free" }));
    });
    const { items } = await registry.models.list();
    expect(items.map(({ modelId, notes, rowVersion }) => [modelId, notes, rowVersion])).toEqual([
      ["d", null, 1],
      ["a", null, 1],
      ["taken", null, 1],
    ]);
    expect((await registry.history.list()).items).toHaveLength(3);
  });

  test("changes begun together are made one after the other", async ({ registry }) => {
    await registry.models.create(localModel("taken"));
    await registry.transaction(async ({ models }) => {
      const results = await Promise.allSettled([
        models.create(localModel("a", { alias: "x" })),
        models.create(localModel("b", { alias: "taken" })),
        models.create(localModel("c", { alias: "x" })),
        models.update("a", { notes: "n" }),
        models.delete("a"),
        models.create(localModel("d", { alias: "x" })),
      ]);
      expect(results.map(({ status }) => status)).toEqual([
        "fulfilled",
        "rejected",
        "rejected",
        "fulfilled",
        "fulfilled",
        "fulfilled",
      ]);
    });
    expect((await registry.models.list()).items.map(({ modelId }) => modelId)).toEqual(["d", "taken"]);
  });

  test("a read beside a failing change does not see it", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    await registry.models.create(localModel("b", { alias: "taken" }));
    await registry.transaction(async ({ models }) => {
      const seen = new Set<unknown>();
      const reads = Array.from({ length: 40 }, async (_, index) => {
        await turns(index);
        seen.add((await models.get("a")).alias);
        // A question of its own shape, so that it is compiled on the way.
        const filter = { model_id: Array.from({ length: index + 1 }, () => "a") };
        seen.add((await models.list({ filter })).items[0]!.alias);
      });
      const changes = Array.from({ length: 10 }, async (_, index) => {
        await turns(index * 3);
        await models.update("a", { alias: "taken" }).catch(() => undefined);
      });
      await Promise.all([...reads, ...changes]);
      expect([...seen]).toEqual([null]);
    });
  });

  test("a change that nobody awaited is made whole or not at all", async ({ registry }) => {
    await registry.models.create(localModel("taken"));
    for (let count = 0; count < 60; count++) {
      await registry.transaction(async ({ models }) => {
        void models.create(localModel(`half ${count}`, { alias: "taken" })).catch(() => undefined);
        void models
          .create(localModel(`whole ${count}`, { aliases: [`alias ${count}`] }))
          .catch(() => undefined);
        await turns(count);
      });
      const state = [
        await registry.models.find(`half ${count}`),
        (await registry.models.find(`whole ${count}`))?.modelId,
        (await registry.models.findByName(`alias ${count}`))?.modelId,
      ];
      expect(state[0], `after ${count} turns`).toBeUndefined();
      expect(state[1], `after ${count} turns`).toBe(state[2]);
    }
  });

  test("their repositories are refused once they have ended", async ({ registry, store }) => {
    let kept: Repositories | undefined;
    await registry.transaction(async (repositories) => {
      kept = repositories;
      await repositories.models.create(localModel("a"));
    });
    let failed: Repositories | undefined;
    const failing = registry.transaction(async (repositories) => {
      failed = repositories;
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    const before = await store.dump();
    for (const { models, files, history, runs } of [kept!, failed!]) {
      const attempts: [string, () => Promise<unknown>][] = [
        ["create", () => models.create(localModel("b"))],
        ["createMany", () => models.createMany([localModel("b")])],
        ["find", () => models.find("a")],
        ["get", () => models.get("a")],
        ["resolve", () => models.resolve("a")],
        ["resolveMany", () => models.resolveMany(["a"])],
        ["names", () => models.names({ prefix: "" })],
        ["list", () => models.list()],
        ["count", () => models.count()],
        ["update", () => models.update("a", { notes: "n" })],
        ["changeAliases", () => models.changeAliases("a", { add: ["x"] })],
        ["repointAlias", () => models.repointAlias("x", "a")],
        ["changeTags", () => models.changeTags("a", { add: ["t"] })],
        ["delete", () => models.delete("a")],
        ["files.list", () => files.list("a")],
        ["files.put", () => files.put("a", { path: "p", role: "other" })],
        ["files.delete", () => files.delete("a", "p")],
        ["history.list", () => history.list()],
        ["history.modelAt", () => history.modelAt("a", 1)],
        ["history.latestEventId", () => history.latestEventId()],
        ["runs.acquire", () => runs.acquire("a", { holder: "h" })],
        ["runs.renew", () => runs.renew(1)],
        ["runs.release", () => runs.release(1)],
        ["runs.list", () => runs.list()],
      ];
      for (const [what, attempt] of attempts) await expectInvalid("transaction", attempt, what);
    }
    expect(await store.dump()).toBe(before);
  });

  test("inside, the registry's own repositories are refused for changes, not waited for", async ({
    registry,
    store,
  }) => {
    await registry.models.create(localModel("a"));
    const before = await store.dump();
    const { models, files, runs } = registry;
    const attempts: [string, () => Promise<unknown>][] = [
      ["create", () => models.create(localModel("b"))],
      ["createMany", () => models.createMany([localModel("b")])],
      ["update", () => models.update("a", { notes: "n" })],
      ["changeAliases", () => models.changeAliases("a", { add: ["x"] })],
      ["repointAlias", () => models.repointAlias("x", "a")],
      ["changeTags", () => models.changeTags("a", { add: ["t"] })],
      ["delete", () => models.delete("a")],
      ["files.put", () => files.put("a", { path: "p", role: "other" })],
      ["files.delete", () => files.delete("a", "p")],
      ["acquire", () => runs.acquire("a", { holder: "h" })],
      ["renew", () => runs.renew(1)],
      ["release", () => runs.release(1)],
      ["transaction", () => registry.transaction(async () => 1)],
      ["migrate", () => registry.migrate()],
      ["close", () => registry.close()],
    ];
    for (const [what, attempt] of attempts) {
      await registry.transaction(async (tx) => {
        expect((await models.get("a")).notes).toBeNull();
        await expectInvalid("transaction", attempt, what);
        expect((await tx.models.get("a")).notes).toBeNull();
      });
    }
    expect(await store.dump()).toBe(before);
  }, 5000);

  test("what was begun inside and goes on after the end may use the registry again", async ({ registry }) => {
    const begun = await registry.transaction(async ({ models }) => {
      await models.create(localModel("a"));
      return { later: sleep(20).then(() => registry.models.create(localModel("b"))) };
    });
    expect((await begun.later).modelId).toBe("b");
  });

  test("of one handle wait for each other, however long they take", async ({ registry }) => {
    await registry.models.create(localModel("a", { sizeBytes: 0 }));
    const increment = (): Promise<void> =>
      registry.transaction(async ({ models }) => {
        const { sizeBytes } = await models.get("a");
        await sleep(2);
        await models.update("a", { sizeBytes: sizeBytes! + 1 });
      });
    await Promise.all(Array.from({ length: 20 }, increment));
    expect((await registry.models.get("a")).sizeBytes).toBe(20);
  });

  test("of several handles wait for each other", async ({ registry, store }) => {
    await registry.models.create(localModel("a", { sizeBytes: 0 }));
    const handles = [registry, await store.open(), await store.open()];
    const increment = (index: number): Promise<void> =>
      handles[index % 3]!.transaction(async ({ models }) => {
        const { sizeBytes } = await models.get("a");
        await sleep(1);
        await models.update("a", { sizeBytes: sizeBytes! + 1 });
      });
    await Promise.all(Array.from({ length: 24 }, (_, index) => increment(index)));
    expect((await registry.models.get("a")).sizeBytes).toBe(24);
  });

  test("one that waits longer than it may is refused as busy, and changed nothing", async ({
    registry,
    store,
  }) => {
    const impatient = await store.open({ busyTimeoutMs: 50 });
    await registry.transaction(async ({ models }) => {
      await models.create(localModel("a"));
      const start = performance.now();
      await expectRefusal("database_busy", impatient.models.create(localModel("b")));
      expect(performance.now() - start).toBeLessThan(1500);
    });
    expect((await impatient.models.list()).items.map(({ modelId }) => modelId)).toEqual(["a"]);
    await impatient.models.create(localModel("b"));
  });

  test("what is no work, and what is no option, is refused", async ({ registry }) => {
    for (const work of [undefined, null, 5, "text", {}])
      await expectInvalid(undefined, registry.transaction(work as never));
    await expectInvalid("actor", registry.transaction(turnOnce, { actor: "" }));
    await expectInvalid("author", registry.transaction(turnOnce, { author: "x" } as never));
  });

  test("work that gives no promise is taken as done", async ({ registry }) => {
    expect(await registry.transaction((() => 5) as never)).toBe(5);
  });
});

describe.each(ENGINES)("changes made at the same time ($name)", ({ test }) => {
  test("of 16, of which some fail, each gets its own truth", async ({ registry, store }) => {
    await registry.models.create(localModel("taken"));
    const results = await Promise.allSettled(
      Array.from({ length: 16 }, (_, index) =>
        registry.models.create(
          localModel(`m${index}`, index % 3 === 0 ? { aliases: ["free", "taken"] } : {}),
        ),
      ),
    );
    for (const [index, result] of results.entries()) {
      if (index % 3 !== 0)
        expect(result).toMatchObject({ status: "fulfilled", value: { modelId: `m${index}` } });
      else expect(result).toMatchObject({ status: "rejected", reason: { code: "name_taken" } });
    }
    expect((await registry.history.list({ limit: 1000 })).items).toHaveLength(11);
    await expectTwoThirds(registry, store);
  });

  test("a transaction that fails among them takes no other with it", async ({ registry, store }) => {
    await registry.models.create(localModel("taken"));
    const results = await Promise.allSettled(
      Array.from({ length: 16 }, (_, index) =>
        registry.transaction(async ({ models }) => {
          await models.create(localModel(`m${index}`));
          await turns(index);
          if (index % 3 === 0) throw new Error(`no ${index}`);
          await expectRefusal("name_taken", models.create(localModel("taken")));
          return index;
        }),
      ),
    );
    for (const [index, result] of results.entries()) {
      if (index % 3 !== 0) expect(result).toEqual({ status: "fulfilled", value: index });
      else expect(result).toMatchObject({ status: "rejected", reason: { message: `no ${index}` } });
    }
    await expectTwoThirds(registry, store);
  });

  test("are made in the order in which they were asked for", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    await Promise.all(
      Array.from({ length: 200 }, (_, index) => registry.models.update("a", { sizeBytes: index })),
    );
    const { items } = await registry.history.list({ order: "asc", limit: 1000 });
    expect(items.slice(1).map(({ after }) => after!["size_bytes"])).toEqual(
      Array.from({ length: 200 }, (_, i) => i),
    );
    expect((await registry.models.get("a")).rowVersion).toBe(201);
  });
});
