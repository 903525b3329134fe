import { describe, expect } from "vitest";

import type { Registry } from "../../src/index.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid, expectRefusal } from "./refusal.ts";

const tagged = async (registry: Registry, tag: string): Promise<string[]> =>
  (await registry.models.list({ tags: { all: [tag] } })).items.map(({ modelId }) => modelId);

describe.each(ENGINES)("tags ($name)", ({ test }) => {
  test("adding and taking away keeps the order and each tag once", async ({ registry }) => {
    await registry.models.create(localModel("a", { tags: ["one", "two"] }));
    const { tags } = await registry.models.changeTags("a", {
      add: ["three", "one", "three"],
      remove: ["two", "none"],
    });
    expect(tags).toEqual(["one", "three"]);
    expect(await tagged(registry, "two")).toEqual([]);
    expect(await tagged(registry, "three")).toEqual(["a"]);
  });

  test("are counted in their order, page by page", async ({ registry }) => {
    await registry.models.create(localModel("a", { tags: ["b", "a"] }));
    await registry.models.create(localModel("b", { tags: ["b", "é"] }));
    const first = await registry.models.tags({ limit: 2 });
    expect(first.items).toEqual([
      { tag: "a", count: 1 },
      { tag: "b", count: 2 },
    ]);
    const last = await registry.models.tags({ limit: 2, cursor: first.nextCursor });
    expect(last).toEqual({ items: [{ tag: "é", count: 1 }], nextCursor: null });
    await expectInvalid("limit", registry.models.tags({ limit: 0 }));
  });

  test("an update replaces the whole list", async ({ registry }) => {
    await registry.models.create(localModel("a", { tags: ["one", "two"] }));
    await registry.models.update("a", { tags: ["two", "three"] });
    expect((await registry.models.get("a")).tags).toEqual(["two", "three"]);
    const found = [
      await tagged(registry, "one"),
      await tagged(registry, "two"),
      await tagged(registry, "three"),
    ];
    expect(found).toEqual([[], ["a"], ["a"]]);
  });

  test("tags are told apart by case", async ({ registry }) => {
    await registry.models.create(localModel("a", { tags: ["Chat"] }));
    expect(await tagged(registry, "chat")).toEqual([]);
    expect(await tagged(registry, "Chat")).toEqual(["a"]);
  });

  test.for(["a", "A1", "über", "日本", "a.b_c:d/e=f-g", "x".repeat(64)])(
    "%s is a tag",
    async (tag, { registry }) => {
      await registry.models.create(localModel("a", { tags: [tag] }));
      expect(await tagged(registry, tag)).toEqual(["a"]);
    },
  );

  test.for([
    "",
    " ",
    "-a",
    ".a",
    "a b",
    "a,b",
    "a;",
    "a\n",
    "😀",
    "x".repeat(65),
    "a\u0000",
    "a'b",
    '"',
    "a%",
  ])("%j is no tag", async (tag, { registry, store }) => {
    await registry.models.create(localModel("a"));
    const before = await store.dump();
    await expectInvalid("tags", registry.models.changeTags("a", { add: [tag] }));
    await expectInvalid("tags", registry.models.update("a", { tags: [tag] }));
    await expectInvalid("tags", registry.models.create(localModel("b", { tags: [tag] })));
    await expectInvalid("tags", registry.models.list({ tags: { any: [tag] } }));
    expect(await store.dump()).toBe(before);
  });

  test("a tag both to be added and to be removed is refused", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    await expectInvalid("tags", registry.models.changeTags("a", { add: ["x"], remove: ["x"] }));
    await expectRefusal("model_not_found", registry.models.changeTags("none", { add: ["x"] }));
  });
});
