import fc from "fast-check";
import { describe, expect } from "vitest";

import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid, expectRefusal } from "./refusal.ts";

describe.each(ENGINES)("finding a model ($name)", ({ test, createStore }) => {
  test("find and get take an id and nothing else", async ({ registry }) => {
    const model = await registry.models.create(localModel("a", { alias: "b", aliases: ["c"] }));
    expect(await registry.models.find("a")).toEqual(model);
    expect(await registry.models.get("a")).toEqual(model);
    for (const alias of ["b", "c"]) {
      expect(await registry.models.find(alias)).toBeUndefined();
      const { message } = await expectRefusal("model_not_found", registry.models.get(alias));
      expect(message).toBe(`No model has the id "${alias}": it is an alias of "a".`);
    }
    expect(await registry.models.find("d")).toBeUndefined();
    await expectRefusal("model_not_found", registry.models.get("d"));
  });

  test("resolve and findByName take an id and every alias", async ({ registry }) => {
    const model = await registry.models.create(localModel("a", { alias: "b", aliases: ["c"] }));
    for (const name of ["a", "b", "c"]) {
      expect(await registry.models.resolve(name)).toEqual(model);
      expect(await registry.models.findByName(name)).toEqual(model);
    }
    expect(await registry.models.findByName("A")).toBeUndefined();
    await expectRefusal("model_not_found", registry.models.resolve("A"));
  });

  test("a name that means nothing is answered with the nearest one", async ({ registry }) => {
    await registry.models.create(localModel("tinyllama:1b-gguf", { alias: "tiny" }));
    const refusal = await expectRefusal("model_not_found", registry.models.resolve("tinylama:1b-gguf"));
    expect(refusal.message).toContain("tinyllama:1b-gguf");
    const far = await expectRefusal("model_not_found", registry.models.resolve("something else"));
    expect(far.message).not.toContain("tiny");
  });

  test("resolveMany gives what there is, by the name asked for", async ({ registry }) => {
    const a = await registry.models.create(localModel("a", { alias: "b" }));
    const quote = await registry.models.create(localModel(`"],["`, { alias: `it's \\ "` }));
    const found = await registry.models.resolveMany(["b", "a", "a", "none", `it's \\ "`]);
    expect(found).toEqual(
      new Map([
        ["b", a],
        ["a", a],
        [`it's \\ "`, quote],
      ]),
    );
    expect(await registry.models.resolveMany([])).toEqual(new Map());
  });

  test("resolveMany takes 1,000 names and refuses 1,001", async ({ registry }) => {
    const models = Array.from({ length: 1000 }, (_, index) => localModel(`model-${index}`));
    await registry.models.createMany(models);
    const names = models.map(({ modelId }) => modelId);
    expect([...(await registry.models.resolveMany(names)).keys()].toSorted()).toEqual(names.toSorted());
    await expectInvalid("names", registry.models.resolveMany([...names, "one more"]));
  });

  test("names begin with the text exactly, and come in their order", async () => {
    const character = fc.constantFrom("a", "A", "b", "%", "_", "é", "-", " ", "😀", "\u{fffd}", "\u{10fffd}");
    const text = fc
      .string({ unit: character, minLength: 1, maxLength: 5 })
      .filter((name) => name.trim() === name);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(text, { maxLength: 12 }),
        fc.string({ unit: character, maxLength: 3 }).filter((prefix) => prefix.trimStart() === prefix),
        async (ids, prefix) => {
          await using store = await createStore();
          const { models } = await store.open();
          await models.createMany(ids.map((id) => localModel(id)));
          const expected = ids
            .filter((id) => id.startsWith(prefix))
            .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
            .map((id) => ({ name: id, modelId: id }));
          expect(await models.names({ prefix })).toEqual(expected);
        },
      ),
      { numRuns: 25 },
    );
  });

  test("names are ids and aliases, as many as asked for, 100 when not said", async ({ registry }) => {
    await registry.models.create(localModel("x-id", { alias: "x-alias", aliases: ["x-more"] }));
    expect(await registry.models.names({ prefix: "x-" })).toEqual([
      { name: "x-alias", modelId: "x-id" },
      { name: "x-id", modelId: "x-id" },
      { name: "x-more", modelId: "x-id" },
    ]);
    expect(await registry.models.names({ prefix: "x-", limit: 2 })).toHaveLength(2);
    await registry.models.createMany(Array.from({ length: 150 }, (_, index) => localModel(`y-${index}`)));
    expect(await registry.models.names({ prefix: "y-" })).toHaveLength(100);
    expect(await registry.models.names({ prefix: "", limit: 1000 })).toHaveLength(153);
  });

  test("reads see what other handles have committed", async ({ registry, store }) => {
    const other = await store.open();
    await registry.models.create(localModel("a"));
    expect((await other.models.get("a")).modelId).toBe("a");
    await other.models.update("a", { notes: "changed" });
    expect((await registry.models.get("a")).notes).toBe("changed");
  });
});
