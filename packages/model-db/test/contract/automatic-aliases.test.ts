import fc from "fast-check";
import { describe, expect, test as pure } from "vitest";

import { shortAliases } from "../../src/index.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";

// Seen of `GenerateShortenedAlias` of cortex.cpp (September 2024): an id, and the aliases it would get one after
// the other, as each gets taken.
const seen: [id: string, chain: string[]][] = [
  [
    "huggingface.co/A/B/C.Q4.gguf",
    [
      "c.q4",
      "B:c.q4",
      "A:B/c.q4",
      "huggingface.co:A/B/c.q4",
      "huggingface.co:A/B/c.q4-1",
      "huggingface.co:A/B/c.q4-2",
      "huggingface.co:A/B/c.q4-3",
    ],
  ],
  [
    "huggingface.co/TheBloke/OpenHermes-2.5-Mistral-7B-GGUF/openhermes-2.5-mistral-7b.Q4_K_M.gguf",
    ["openhermes-2.5-mistral-7b.q4_k_m"],
  ],
  ["llama3.1", ["llama3", "llama3-1", "llama3-2"]],
  ["tinyllama:1b-gguf", ["tinyllama:1b-gguf"]],
  ["ÉCOLE/Ünï.gguf", ["Ünï", "ÉCOLE:Ünï", "ÉCOLE:Ünï-1"]],
  ["TheBloke:Tiny:Tiny.Q4", ["thebloke:tiny:tiny", "thebloke:tiny:tiny-1"]],
  ["Upper/Name.GGUF", ["name", "Upper:name", "Upper:name-1"]],
  ["A/B/c.gguf", ["c", "B:c", "A:B/c", "A:B/c-1"]],
  [
    "host/first/third/second/c.gguf",
    ["c", "second:c", "third:second/c", "host:first/second/c", "host:first/second/c-1"],
  ],
];

describe("short aliases", () => {
  pure.for(seen)("of %s are those of the old program", ([id, chain]) => {
    const candidates = shortAliases(id);
    const length = Math.min(candidates.length, chain.length);
    expect(candidates.slice(0, length)).toEqual(chain.slice(0, length));
  });

  pure.for([".gguf", "a/.gguf", "", "/"])("of %j, of which nothing is left, are none", (id) => {
    expect(shortAliases(id)).toEqual([]);
  });
});

describe.each(ENGINES)("automatic aliases ($name)", ({ test, createStore }) => {
  test.for(seen)("of %s come one after the other as each gets taken", async ([id, chain], { registry }) => {
    for (const [index, expected] of chain.entries()) {
      const { alias } = await registry.models.create({ modelId: id, sourceType: "local" });
      expect(alias).toBe(expected);
      // The next model of that id finds the alias taken by another.
      await registry.models.delete(id);
      if (expected === id) break;
      await registry.models.create(localModel(`taker ${index}`, { alias: expected }));
    }
  });

  test("a model whose id leaves nothing has none", async ({ registry }) => {
    expect((await registry.models.create({ modelId: ".gguf", sourceType: "local" })).alias).toBeNull();
  });

  test("one that is given is never replaced by an automatic one", async ({ registry }) => {
    const none = await registry.models.create({ modelId: "a.gguf", sourceType: "local", alias: null });
    const given = await registry.models.create({ modelId: "b.gguf", sourceType: "local", alias: "B" });
    expect([none.alias, given.alias]).toEqual([null, "B"]);
  });

  test("one is not a name that the model is given beside", async ({ registry }) => {
    const model = await registry.models.create({ modelId: "x/a.gguf", sourceType: "local", aliases: ["a"] });
    expect(model).toMatchObject({ alias: "x:a", aliases: ["a"] });
  });

  test("one is as long as a name may be, however long the id", async ({ registry }) => {
    await registry.models.create(localModel("a".repeat(1024)));
    const { alias } = await registry.models.create({ modelId: "A".repeat(1024), sourceType: "local" });
    expect((alias ?? "").length).toBeLessThanOrEqual(1024);
    expect((await registry.models.resolve(alias ?? "A".repeat(1024))).modelId).toBe("A".repeat(1024));
  });

  test("2,000 models of the same stem get 2,000 different ones, in under 5 s", async ({ registry }) => {
    const models = Array.from({ length: 2000 }, (_, index) => ({
      modelId: `host/author/repository/same.${index}`,
      sourceType: "local" as const,
    }));
    const start = performance.now();
    await registry.models.createMany(models);
    expect(performance.now() - start).toBeLessThan(5000);
    const names = await registry.models.names({ prefix: "host:author/repository/same-", limit: 1000 });
    expect(names).toHaveLength(1000);
    expect((await registry.models.resolve("host:author/repository/same-1996")).modelId).toBe(
      models.at(-1)!.modelId,
    );
  });

  test("whatever the ids, each alias is unique, valid and means its model", async () => {
    const part = fc.string({ unit: fc.constantFrom("a", "A", ".", "-", " ", "é", ":"), maxLength: 3 });
    const id = fc
      .array(part, { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join("/"))
      .filter((text) => text !== "" && text.trim() === text);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(id, { maxLength: 25 }), async (ids) => {
        await using store = await createStore();
        const { models } = await store.open();
        const taken = new Set<string>();
        for (const modelId of ids) {
          if (await models.findByName(modelId)) continue;
          const { alias } = await models.create({ modelId, sourceType: "local" });
          if (alias === null) continue;
          expect(taken).not.toContain(alias);
          taken.add(alias);
          expect((await models.resolve(alias)).modelId).toBe(modelId);
          await models.update(modelId, { alias: null });
          await models.update(modelId, { alias });
        }
      }),
      { numRuns: 25 },
    );
  });
});
