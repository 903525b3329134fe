import fc from "fast-check";
import { describe, expect } from "vitest";

import {
  type ListOptions,
  type Model,
  type ModelFilter,
  type Models,
  type Registry,
} from "../../src/index.ts";
import { arbitraryListOptions, arbitraryModels, SCALAR_FIELDS } from "./arbitrary-models.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { naiveList, valueOf } from "./naive-list.ts";
import { expectInvalid, expectRefusal } from "./refusal.ts";

const ids = (models: readonly Model[]): string[] => models.map(({ modelId }) => modelId);

async function everything({ models }: { models: Models }): Promise<readonly Model[]> {
  return (await models.list({ limit: 1000 })).items;
}

async function pagesOf(
  { models }: { models: Models },
  options: ListOptions,
  limit: number,
): Promise<Model[]> {
  const items: Model[] = [];
  let cursor: string | null = null;
  do {
    const page: { items: readonly Model[]; nextCursor: string | null } = await models.list({
      ...options,
      limit,
      cursor,
    });
    items.push(...page.items);
    expect(page.items.length).toBeLessThanOrEqual(limit);
    cursor = page.nextCursor;
    if (cursor !== null) expect(page.items).toHaveLength(limit);
  } while (cursor !== null);
  return items;
}

async function some({ models, runs }: Registry): Promise<void> {
  const kinds = ["gguf", "onnx", null];
  await models.createMany(
    Array.from({ length: 12 }, (_, index) =>
      localModel(`model-${index}`, {
        format: kinds[index % 3]!,
        sizeBytes: index % 4 === 0 ? null : index * 10,
        tags: [`t${index % 2}`],
        pinned: index % 2 === 0,
      }),
    ),
  );
  await runs.acquire("model-3", { holder: "h" });
}

describe.each(ENGINES)("listing models ($name)", ({ test, createStore }) => {
  test("any combination of filters, tags, search and order answers as a naive search does", async () => {
    await fc.assert(
      fc.asyncProperty(
        arbitraryModels,
        fc.array(arbitraryListOptions, { minLength: 8, maxLength: 8 }),
        fc.integer({ min: 1, max: 7 }),
        async (newModels, questions, limit) => {
          await using store = await createStore();
          const registry = await store.open();
          await registry.models.createMany(newModels);
          for (const { modelId } of newModels.slice(0, 3))
            await registry.runs.acquire(modelId, { holder: "h" });
          await registry.models.changeTags(newModels.at(-1)!.modelId, { add: ["changed"] });
          const all = await everything(registry);
          expect(ids(all)).toEqual(newModels.map(({ modelId }) => modelId).toReversed());
          for (const options of questions) {
            const expected = naiveList(all, options);
            const page = await registry.models.list({ ...options, limit: 1000, total: true });
            const what = JSON.stringify(options);
            expect(ids(page.items).toSorted(), what).toEqual(ids(expected).toSorted());
            expect(page.total, what).toBe(expected.length);
            expect(await registry.models.count(withoutSort(options)), what).toBe(expected.length);
            const field = options.sort?.field;
            if (field === undefined) expect(ids(page.items), what).toEqual(ids(expected));
            else {
              const values = (models: readonly Model[]): unknown[] =>
                models.map((model) => valueOf(model, field));
              expect(values(page.items), what).toEqual(values(expected));
            }
            expect(ids(await pagesOf(registry, options, limit)), what).toEqual(ids(page.items));
          }
        },
      ),
      { numRuns: 35 },
    );
  }, 60_000);

  test("a field that is a list matches by the items that it has", async ({ registry }) => {
    for (const [modelId, capabilities, tags] of [
      ["a", ["completion", "tools"], ["new"]],
      ["b", ["embedding"], []],
      ["c", [], ["new", "chat"]],
    ] as const) {
      await registry.models.create(localModel(modelId, { capabilities, tags, aliases: [`also ${modelId}`] }));
    }
    const found = async (filter: ModelFilter): Promise<string> =>
      ids((await registry.models.list({ filter, sort: { field: "model_id" } })).items).join("");
    expect(await found({ capabilities: "tools" })).toBe("a");
    expect(await found({ capabilities: ["tools", "embedding"] })).toBe("ab");
    expect(await found({ capabilities: { ne: "tools" } })).toBe("bc");
    expect(await found({ tags: "new", capabilities: { ne: "completion" } })).toBe("c");
    expect(await found({ aliases: "also b" })).toBe("b");
    expect(await found({ capabilities: "tool" })).toBe("");
    const refused: ModelFilter[] = [
      { capabilities: 1 },
      { capabilities: null },
      { tags: { gt: "a" } },
      { aliases: { like: "a" } },
    ];
    for (const filter of refused) await expectRefusal("invalid_input", registry.models.list({ filter }));
  });

  test.for(["aliases", "capabilities", "tags"] as const)(
    "are sorted by %s in either direction, and paged",
    async (field, { registry }) => {
      for (const [index, tags] of [["b"], [], ["a", "c"], ["a"]].entries()) {
        await registry.models.create(
          localModel(`m${index}`, {
            tags,
            capabilities: tags,
            aliases: tags.map((tag) => `${tag}${index}`),
            metadata: { tags },
          }),
        );
      }
      for (const direction of ["asc", "desc"] as const) {
        const { items } = await registry.models.list({ sort: { field, direction } });
        const values = items.map((model) => valueOf(model, field) as string);
        expect(values).toEqual(direction === "asc" ? values.toSorted() : values.toSorted().toReversed());
        expect(ids(await pagesOf(registry, { sort: { field, direction } }, 1))).toEqual(ids(items));
      }
    },
  );

  test.for(SCALAR_FIELDS.flatMap(({ name }) => [[name, "asc"] as const, [name, "desc"] as const]))(
    "sorted by %s, %s: those without a value come last, and pages join up",
    async ([field, direction], { registry }) => {
      await some(registry);
      const all = await everything(registry);
      const sort = { field, direction };
      const sorted = (await registry.models.list({ sort })).items;
      const values = sorted.map((model) => valueOf(model, field));
      expect(values).toEqual(naiveList(all, { sort }).map((model) => valueOf(model, field)));
      expect(ids(await pagesOf(registry, { sort }, 5))).toEqual(ids(sorted));
    },
  );

  test("the direction of a sort is ascending when not said", async ({ registry }) => {
    await some(registry);
    const ascending = await registry.models.list({ sort: { field: "size_bytes", direction: "asc" } });
    expect(await registry.models.list({ sort: { field: "size_bytes" } })).toEqual(ascending);
  });

  test("a page has 50 models when not said, and 1,000 at most", async ({ registry }) => {
    await registry.models.createMany(Array.from({ length: 1001 }, (_, index) => localModel(`m${index}`)));
    expect((await registry.models.list()).items).toHaveLength(50);
    const page = await registry.models.list({ limit: 1000 });
    expect(page.items).toHaveLength(1000);
    expect((await registry.models.list({ limit: 1000, cursor: page.nextCursor })).items).toHaveLength(1);
  });

  test("all gives every model once, in the order asked for, however many there are", async ({ registry }) => {
    await registry.models.createMany(Array.from({ length: 2001 }, (_, index) => localModel(`m${index}`)));
    const all = await Array.fromAsync(registry.models.all({ sort: { field: "model_id" } }));
    expect(ids(all)).toEqual(Array.from({ length: 2001 }, (_, index) => `m${index}`).toSorted());
    const found = await Array.fromAsync(registry.models.all({ search: "m20" }));
    expect(found).toEqual((await registry.models.list({ search: "m20", limit: 1000 })).items);
    await expectInvalid("sort", Array.fromAsync(registry.models.all({ sort: { field: "no" as never } })));
  });

  test("all passes over what is deleted on the way", async ({ registry }) => {
    await registry.models.createMany(Array.from({ length: 1002 }, (_, index) => localModel(`m${index}`)));
    const seen: string[] = [];
    for await (const { modelId } of registry.models.all()) {
      if (seen.length === 0) await registry.models.delete("m0");
      seen.push(modelId);
    }
    expect(seen).toHaveLength(1001);
    expect(seen).not.toContain("m0");
  });

  test("a last page that is full has no next one", async ({ registry }) => {
    await some(registry);
    expect((await registry.models.list({ limit: 12 })).nextCursor).toBeNull();
    expect((await registry.models.list({ limit: 11 })).nextCursor).not.toBeNull();
  });

  test("the total counts all that match, on every page, and only where asked for", async ({ registry }) => {
    await some(registry);
    const first = await registry.models.list({ filter: { pinned: true }, limit: 4, total: true });
    expect(first.total).toBe(6);
    const second = await registry.models.list({
      filter: { pinned: true },
      limit: 4,
      total: true,
      cursor: first.nextCursor,
    });
    expect([second.total, second.items.length]).toEqual([6, 2]);
    expect(await registry.models.list({ total: false })).not.toHaveProperty("total");
  });

  test("a part of a text is found in any case, also outside ASCII", async ({ registry }) => {
    await registry.models.create(localModel("a", { authorRepo: "ÉCOLE Große ЯНДЕКС ΣΟΦΟΣΑ" }));
    for (const like of ["École", "écOLE", "GROßE", "ΣΟΦΟΣ", "σοφοσ", "яндекс", "ЯндЕкс", "éc"]) {
      expect(await registry.models.count({ filter: { author_repo: { like } } }), like).toBe(1);
    }
  });

  test("an unknown field, operator or option is refused and named", async ({ registry, store }) => {
    const before = await store.dump();
    const { models } = registry;
    const refused: [string, unknown][] = [
      ["size", { filter: { size: 1 } }],
      ["sizeBytes", { filter: { sizeBytes: 1 } }],
      ["seq", { filter: { seq: 1 } }],
      ["metadata", { filter: { metadata: "x" } }],
      ["model_id = '' OR 1=1 --", { filter: { "model_id = '' OR 1=1 --": 1 } }],
      ["__proto__", { filter: JSON.parse(`{"__proto__": 1}`) as object }],
      ["constructor", { filter: { constructor: 1 } }],
      ["regex", { filter: { notes: { regex: "x" } } }],
      ["__proto__", { filter: { notes: JSON.parse(`{"__proto__": "x"}`) as object } }],
      ["every", { tags: { every: ["x"] } }],
      ["order", { order: "asc" }],
      ["by", { sort: { field: "notes", by: 1 } }],
    ];
    for (const [field, options] of refused) await expectInvalid(field, models.list(options as never), field);
    for (const field of ["seq", "modelId", "notes; DROP TABLE model", "constructor", "__proto__", 1]) {
      await expectInvalid("sort", models.list({ sort: { field } as never }), String(field));
    }
    expect(await store.dump()).toBe(before);
  });

  test("as many conditions as can be said still make one query", async ({ registry }) => {
    await some(registry);
    const filter = Object.fromEntries(
      SCALAR_FIELDS.map(({ name, type }) => {
        const value =
          name === "source_type" ? "local" : name === "availability" ? "present" : type === "text" ? "x" : 1;
        return [name, { ne: type === "boolean" ? true : value, eq: null }];
      }),
    );
    expect(await registry.models.count({ filter })).toBe(0);
    const many = Array.from({ length: 500 }, (_, index) => `model-${index}`);
    const lists = { model_id: many, alias: many, author_repo: [null, ...many.slice(1)], branch: [null] };
    expect(await registry.models.count({ filter: { ...lists, alias: [null, ...many.slice(1)] } })).toBe(12);
    const hundred = Array.from({ length: 100 }, (_, index) => `t${index}`);
    expect(await registry.models.count({ tags: { all: hundred, any: hundred, none: hundred } })).toBe(0);
    expect(await registry.models.count({ tags: { any: hundred } })).toBe(12);
  });
});

function withoutSort(options: ListOptions): ListOptions {
  const { sort: _, ...selection } = options;
  return selection;
}
