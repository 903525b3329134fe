import { describe, expect } from "vitest";

import type { Registry } from "../../src/index.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid } from "./refusal.ts";

async function found({ models }: Registry, search: string): Promise<string[]> {
  const { items, total } = await models.list({ search, total: true });
  expect(total).toBe(items.length);
  return items.map(({ modelId }) => modelId).toSorted();
}

describe.each(ENGINES)("searching ($name)", ({ test }) => {
  test.for([
    ["the id", { modelId: "the-needle" }],
    ["the alias", { alias: "the-needle" }],
    ["a further alias", { aliases: ["other", "the-needle"] }],
    ["the repository", { authorRepo: "The-Needle-Co" }],
    ["the notes", { notes: "line\nwith a needle\nin it" }],
    ["a tag", { tags: ["other", "needle"] }],
  ] as const)("finds a part of %s", async ([, fields], { registry }) => {
    await registry.models.create({ ...localModel("a"), ...fields });
    await registry.models.create(localModel("hay"));
    for (const search of ["needle", "eedl", "NEEDLE", "ne", "e d".replace(" ", ""), "needle NE eed"]) {
      expect(await found(registry, search), search).toHaveLength(1);
    }
    expect(await found(registry, "needles")).toEqual([]);
  });

  test("does not look into other fields", async ({ registry }) => {
    await registry.models.create(
      localModel("a", {
        branch: "needle",
        engine: "needle",
        metadata: { needle: "needle" },
        capabilities: ["needle"],
      }),
    );
    expect(await found(registry, "needle")).toEqual([]);
  });

  test("does not find what spans two fields", async ({ registry }) => {
    await registry.models.create(
      localModel("left", { alias: "right", authorRepo: "upper", tags: ["lower"] }),
    );
    for (const search of ["leftright", "rightupper", "upperlower", "tr"])
      expect(await found(registry, search)).toEqual([]);
  });

  test("every term must be found, in whatever field", async ({ registry }) => {
    await registry.models.create(localModel("llama", { tags: ["chat"], notes: "big" }));
    await registry.models.create(localModel("llama-base", { notes: "big" }));
    expect(await found(registry, "llama chat big")).toEqual(["llama"]);
    expect(await found(registry, " big   llama ")).toEqual(["llama", "llama-base"]);
    expect(await found(registry, "ll ch")).toEqual(["llama"]);
    expect(await found(registry, "llama ch zz")).toEqual([]);
  });

  test("takes every character for itself", async ({ registry }) => {
    const texts = [
      `a"b`,
      `a""b`,
      "a'b",
      "100%",
      "50_50",
      "50x50",
      "a*b",
      "a\\b",
      "a\\%b",
      "(a)",
      "a-b",
      "a:b",
      "{a}^2",
      "NEAR(a b)",
      "a AND b",
      "a OR b",
      "NOT a",
      "x+y",
      "col:val",
      "model_search",
    ];
    for (const [index, notes] of texts.entries())
      await registry.models.create(localModel(`m${index}`, { notes }));
    for (const [index, text] of texts.entries()) {
      for (const term of text.split(" ")) {
        const expected = texts
          .flatMap((other, place) => (other.toLowerCase().includes(term.toLowerCase()) ? [`m${place}`] : []))
          .concat(texts.flatMap((_, place) => (`m${place}`.includes(term) ? [`m${place}`] : [])));
        expect(await found(registry, term), term).toEqual([...new Set(expected)].toSorted());
      }
      expect(await found(registry, text)).toContain(`m${index}`);
    }
    for (const search of [
      `"`,
      `""`,
      "%",
      "_",
      "*",
      "\\",
      "'",
      "%%%",
      "___",
      "***",
      `"""`,
      "^^^",
      "AND",
      "OR NOT",
    ]) {
      const expected = texts.flatMap((text, place) =>
        search.split(" ").every((term) => text.toLowerCase().includes(term.toLowerCase()))
          ? [`m${place}`]
          : [],
      );
      expect(await found(registry, search), search).toEqual(expected.toSorted());
    }
  });

  test("finds emoji and other scripts, also short ones", async ({ registry }) => {
    await registry.models.create(localModel("a", { notes: "👩‍👩‍👧 日本語モデル 😀😀😀" }));
    for (const search of ["😀", "😀😀", "😀😀😀", "日", "日本", "日本語", "本語モデル", "👩‍👩‍👧", "モデル 😀"]) {
      expect(await found(registry, search), search).toEqual(["a"]);
    }
    for (const search of ["😁", "😀😀😀😀", "本日", "日本話"])
      expect(await found(registry, search), search).toEqual([]);
  });

  test("finds letters outside ASCII in any case, in short terms and in long ones", async ({ registry }) => {
    await registry.models.create(localModel("a", { notes: "École ЯНДЕКС", tags: ["Über"] }));
    for (const search of ["école", "ÉCOLE", "яндекс", "über", "ÜBER", "éc", "ÉC", "я", "ян", "ü", "ÜB"]) {
      expect(await found(registry, search), search).toEqual(["a"]);
    }
  });

  test("follows every change", async ({ registry }) => {
    await registry.models.create(localModel("a", { alias: "first", tags: ["one"], notes: "old" }));
    await registry.models.create(localModel("b"));
    const expectFound = async (search: string, expected: string[]): Promise<void> =>
      expect(await found(registry, search), search).toEqual(expected);
    await registry.models.update("a", { alias: "second", notes: "new", authorRepo: "somebody" });
    await expectFound("first", []);
    await expectFound("old", []);
    await expectFound("second new somebody", ["a"]);
    await registry.models.changeAliases("a", { add: ["third"] });
    await expectFound("third", ["a"]);
    await registry.models.repointAlias("third", "b");
    await expectFound("third", ["b"]);
    await registry.models.changeTags("a", { add: ["two"], remove: ["one"] });
    await expectFound("one", []);
    await expectFound("two", ["a"]);
    await registry.runs.acquire("a", { holder: "h" });
    await expectFound("two", ["a"]);
    await registry.models.delete("b");
    await expectFound("third", []);
  });

  test("a blank search is none", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    expect(await found(registry, "")).toEqual(["a"]);
    expect(await found(registry, "   ")).toEqual(["a"]);
  });

  test("works together with filters, tags, order and pages", async ({ registry }) => {
    await registry.models.createMany(
      Array.from({ length: 30 }, (_, index) =>
        localModel(`needle-${index}`, { tags: [`t${index % 3}`], sizeBytes: index, pinned: index % 2 === 0 }),
      ),
    );
    const question = {
      search: "needle",
      tags: { all: ["t0"] },
      filter: { pinned: true },
      sort: { field: "size_bytes", direction: "desc" },
      limit: 3,
      total: true,
    } as const;
    const first = await registry.models.list(question);
    const second = await registry.models.list({ ...question, cursor: first.nextCursor });
    expect([...first.items, ...second.items].map(({ sizeBytes }) => sizeBytes)).toEqual([24, 18, 12, 6, 0]);
    expect([first.total, second.total, second.nextCursor]).toEqual([5, 5, null]);
  });

  test("16 terms and 1,024 characters are taken, more is refused", async ({ registry }) => {
    await registry.models.create(localModel("a", { notes: "x".repeat(1024) }));
    const terms = Array.from({ length: 16 }, (_, index) => "x".repeat(index + 1));
    expect(await found(registry, terms.join(" "))).toEqual(["a"]);
    expect(await found(registry, "x".repeat(1024))).toEqual(["a"]);
    await expectInvalid("search", registry.models.list({ search: [...terms, "y"].join(" ") }));
    await expectInvalid("search", registry.models.list({ search: "x".repeat(1025) }));
  });
});
