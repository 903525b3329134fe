import { describe, expect } from "vitest";

import type { Registry } from "../../src/index.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid, expectRefusal } from "./refusal.ts";

const aliasesOf = async (registry: Registry, id: string): Promise<unknown[]> => {
  const { alias, aliases } = await registry.models.get(id);
  return [alias, ...aliases];
};

const many = (from: number): string[] => Array.from({ length: 1000 }, (_, index) => `name-${from + index}`);

describe.each(ENGINES)("the names of a model ($name)", ({ test }) => {
  test("renaming the alias frees the old one at once", async ({ registry }) => {
    await registry.models.create(localModel("a", { alias: "old" }));
    await registry.models.update("a", { alias: "new" });
    expect((await registry.models.resolve("new")).modelId).toBe("a");
    await expectRefusal("model_not_found", registry.models.resolve("old"));
    await registry.models.create(localModel("b", { alias: "old" }));
    expect((await registry.models.resolve("old")).modelId).toBe("b");
  });

  test("two models can swap their aliases in a transaction", async ({ registry }) => {
    await registry.models.create(localModel("a", { alias: "x" }));
    await registry.models.create(localModel("b", { alias: "y" }));
    await registry.transaction(async ({ models }) => {
      await models.update("a", { alias: null });
      await models.update("b", { alias: "x" });
      await models.update("a", { alias: "y" });
    });
    expect(await aliasesOf(registry, "a")).toEqual(["y"]);
    expect(await aliasesOf(registry, "b")).toEqual(["x"]);
  });

  test("a further alias can become the primary one, and the other way round", async ({ registry }) => {
    await registry.models.create(localModel("a", { alias: "x", aliases: ["y"] }));
    await registry.models.update("a", { alias: "y", aliases: ["x"] });
    expect(await aliasesOf(registry, "a")).toEqual(["y", "x"]);
    expect((await registry.models.resolve("x")).modelId).toBe("a");
    await registry.models.update("a", { alias: "x" });
    expect(await aliasesOf(registry, "a")).toEqual(["x"]);
    await expectRefusal("model_not_found", registry.models.resolve("y"));
  });

  test("a name taken by another model is refused and nothing is changed", async ({ registry, store }) => {
    await registry.models.create(localModel("a", { alias: "x", aliases: ["y"] }));
    await registry.models.create(localModel("b", { alias: "z", notes: "before" }));
    const before = await store.dump();
    for (const taken of ["a", "x", "y"]) {
      await expectRefusal("name_taken", registry.models.update("b", { alias: taken, notes: "after" }));
      await expectRefusal("name_taken", registry.models.update("b", { aliases: ["free", taken] }));
      await expectRefusal("name_taken", registry.models.changeAliases("b", { add: ["free", taken] }));
    }
    expect(await store.dump()).toBe(before);
  });

  test("changeAliases adds and takes away in one step", async ({ registry }) => {
    await registry.models.create(localModel("a", { alias: "x", aliases: ["y", "z"] }));
    await registry.models.changeAliases("a", { add: ["v", "w"], remove: ["y"] });
    expect(await aliasesOf(registry, "a")).toEqual(["x", "z", "v", "w"]);
    await expectRefusal("model_not_found", registry.models.resolve("y"));
    expect((await registry.models.resolve("w")).modelId).toBe("a");
  });

  test("changeAliases can take the primary alias away", async ({ registry }) => {
    await registry.models.create(localModel("a", { alias: "x", aliases: ["y"] }));
    await registry.models.changeAliases("a", { remove: ["x"] });
    expect(await aliasesOf(registry, "a")).toEqual([null, "y"]);
    await expectRefusal("model_not_found", registry.models.resolve("x"));
  });

  test("taking away an alias that the model has not is refused", async ({ registry, store }) => {
    await registry.models.create(localModel("a", { alias: "x" }));
    await registry.models.create(localModel("b", { alias: "y" }));
    const before = await store.dump();
    for (const foreign of ["y", "b", "a", "none"]) {
      await expectRefusal(
        "not_found",
        registry.models.changeAliases("a", { add: ["n"], remove: ["x", foreign] }),
      );
    }
    await expectInvalid("aliases", registry.models.changeAliases("a", { add: ["x"], remove: ["x"] }));
    expect(await store.dump()).toBe(before);
  });

  test("an alias equal to the own id can be given and taken away; the id keeps meaning the model", async ({
    registry,
  }) => {
    await registry.models.create(localModel("a"));
    expect((await registry.models.update("a", { alias: "a" })).alias).toBe("a");
    await registry.models.changeAliases("a", { remove: ["a"] });
    expect(await aliasesOf(registry, "a")).toEqual([null]);
    expect((await registry.models.resolve("a")).modelId).toBe("a");
    await expectRefusal("name_taken", registry.models.create(localModel("a")));
  });

  test.for(["x", "y"])(
    "re-pointing the alias %s takes it from one model and gives it to another",
    async (alias, { registry }) => {
      await registry.models.create(localModel("a", { alias: "x", aliases: ["y"] }));
      const b = await registry.models.create(localModel("b", { alias: "z" }));
      const owner = await registry.models.repointAlias(alias, "z", { expectedRowVersion: b.rowVersion });
      expect(owner).toMatchObject({ modelId: "b", alias: "z", aliases: [alias] });
      expect(await registry.models.resolve(alias)).toEqual(owner);
      expect(await aliasesOf(registry, "a")).not.toContain(alias);
    },
  );

  test("re-pointing an alias that nobody has adds it", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    expect(await registry.models.repointAlias("new", "a")).toMatchObject({ modelId: "a", aliases: ["new"] });
  });

  test("re-pointing another model's id, or to no model, is refused and nothing is changed", async ({
    registry,
    store,
  }) => {
    await registry.models.create(localModel("a", { alias: "x" }));
    await registry.models.create(localModel("b", { alias: "b" }));
    const before = await store.dump();
    await expectRefusal("name_taken", registry.models.repointAlias("b", "a"));
    await expectRefusal("model_not_found", registry.models.repointAlias("x", "none"));
    expect(await store.dump()).toBe(before);
  });

  test("nobody ever sees a re-pointed alias mean no model", async ({ registry, store }) => {
    await registry.models.create(localModel("a", { alias: "best" }));
    await registry.models.create(localModel("b"));
    const reader = await store.open({ mode: "read" });
    const turning = new AbortController();
    const looking = (async () => {
      const seen = new Set<string>();
      while (!turning.signal.aborted) {
        seen.add((await reader.models.resolve("best")).modelId);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return seen;
    })();
    for (let round = 0; round < 40; round++)
      await registry.models.repointAlias("best", round % 2 ? "a" : "b");
    turning.abort();
    expect([...(await looking)].toSorted()).toEqual(["a", "b"]);
  });

  test("a model does not get more aliases or tags than it could be created with", async ({ registry }) => {
    await registry.models.create(localModel("a", { aliases: many(0) }));
    await expectInvalid("aliases", registry.models.changeAliases("a", { add: many(1000) }));
    await expectInvalid("aliases", registry.models.repointAlias("one more", "a"));
    await registry.models.create(localModel("b", { tags: many(0) }));
    await expectInvalid("tags", registry.models.changeTags("b", { add: many(1000) }));
  });
});
