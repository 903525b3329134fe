import fc from "fast-check";
import { describe, expect } from "vitest";

import { toCursor } from "../../src/domain/cursor.ts";
import { parseOrder, parseSelection } from "../../src/domain/list-options.ts";
import { type ListOptions } from "../../src/index.ts";
import { questionOf } from "../../src/repositories/model-list.ts";
import { SCALAR_FIELDS } from "./arbitrary-models.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid } from "./refusal.ts";

const orders: NonNullable<ListOptions["sort"]>[] = (
  ["size_bytes", "notes", "model_id", "created_at", "status"] as const
).flatMap((field) => [
  { field, direction: "asc" },
  { field, direction: "desc" },
]);

describe.each(ENGINES)("pages ($name)", ({ test, createStore }) => {
  test("neither repeat nor skip a model that stays, while others come and go", async () => {
    const value = fc.option(fc.integer({ min: 0, max: 3 }), { freq: 3 });
    const step = fc.record({
      insert: fc.array(value, { maxLength: 3 }),
      remove: fc.array(fc.nat(40), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { minLength: 5, maxLength: 25 }),
        fc.array(step, { minLength: 1, maxLength: 10 }),
        fc.option(fc.constantFrom(...orders), { nil: undefined }),
        fc.constantFrom({}, { tags: { all: ["t"] } }, { search: "model" }),
        fc.integer({ min: 1, max: 4 }),
        async (values, steps, sort, selection, limit) => {
          await using store = await createStore();
          const { models } = await store.open();
          let count = 0;
          const add = async (number: number | null): Promise<string> => {
            const { modelId } = await models.create(
              localModel(`model-${count++}`, {
                sizeBytes: number,
                notes: number === null ? null : `n${number}`,
                createdAt: number ?? 9,
                tags: ["t"],
              }),
            );
            return modelId;
          };
          const there = new Set<string>();
          for (const number of values) there.add(await add(number));
          const staying = new Set(there);
          const seen: string[] = [];
          let cursor: string | null = null;
          for (let page = 0; ; page++) {
            const options: ListOptions = { ...selection, ...(sort && { sort }), limit, cursor };
            const { items, nextCursor } = await models.list(options);
            seen.push(...items.map(({ modelId }) => modelId));
            if (nextCursor === null) break;
            cursor = nextCursor;
            const { insert, remove } = steps[page] ?? { insert: [], remove: [] };
            for (const place of remove) {
              const leaving = [...there][place];
              if (leaving === undefined) continue;
              await models.delete(leaving);
              there.delete(leaving);
              staying.delete(leaving);
            }
            for (const number of insert) there.add(await add(number));
          }
          expect(new Set(seen).size, "a model came twice").toBe(seen.length);
          expect(
            [...staying].filter((id) => !seen.includes(id)),
            "models were skipped",
          ).toEqual([]);
        },
      ),
      { numRuns: 35 },
    );
  }, 30_000);

  test("go on behind a model that is gone", async ({ registry }) => {
    for (const id of ["a", "b", "c"]) await registry.models.create(localModel(id));
    const first = await registry.models.list({ limit: 1, sort: { field: "model_id" } });
    await registry.models.delete("a");
    await registry.models.delete("b");
    const second = await registry.models.list({
      limit: 1,
      sort: { field: "model_id" },
      cursor: first.nextCursor,
    });
    expect(second).toMatchObject({ items: [{ modelId: "c" }], nextCursor: null });
  });

  test.for([
    ["notes", "n".repeat(65_535)],
    ["notes", "界".repeat(65_535)],
    ["notes", "\n".repeat(65_534) + "x"],
    ["branch", "界".repeat(4095)],
    ["model_id", "\u{10fffd}".repeat(511)],
    ["size_bytes", Number.MAX_SAFE_INTEGER - 9],
  ] as const)("can end at the longest %s", async ([field, value], { registry }) => {
    const property = SCALAR_FIELDS.find(({ name }) => name === field)!.property;
    for (let index = 0; index < 3; index++) {
      const longest = typeof value === "number" ? value + index : `${value}${index}`;
      await registry.models.create({ ...localModel(`m${index}`), [property]: longest });
    }
    const sort = { field };
    const first = await registry.models.list({ sort, limit: 2 });
    const second = await registry.models.list({ sort, limit: 2, cursor: first.nextCursor });
    expect([first.items.length, second.items.length]).toEqual([2, 1]);
  });

  test("belong to one question: the cursor of another is refused", async ({ registry }) => {
    await registry.models.createMany(
      Array.from({ length: 9 }, (_, index) =>
        localModel(`model-${index}`, { tags: ["t"], sizeBytes: index }),
      ),
    );
    const questions: ListOptions[] = [
      {},
      { sort: { field: "size_bytes" } },
      { sort: { field: "size_bytes", direction: "desc" } },
      { sort: { field: "created_at" } },
      { sort: { field: "model_id" } },
      { search: "model" },
      { search: "mod" },
      { search: "mo" },
      { tags: { all: ["t"] } },
      { tags: { any: ["t"] } },
      { filter: { size_bytes: { ge: 0 } } },
      { filter: { size_bytes: { gt: 0 } } },
      { filter: { pinned: false } },
    ];
    for (const [index, question] of questions.entries()) {
      const { nextCursor } = await registry.models.list({ ...question, limit: 2 });
      expect(nextCursor).not.toBeNull();
      for (const [place, other] of questions.entries()) {
        const asked = registry.models.list({ ...other, limit: 3, cursor: nextCursor });
        const what = `${JSON.stringify(question)} for ${JSON.stringify(other)}`;
        if (place === index) expect((await asked).items, what).toHaveLength(3);
        else await expectInvalid("cursor", asked, what);
      }
    }
  });

  test("a cursor that was changed is refused", async ({ registry, store }) => {
    await registry.models.createMany(Array.from({ length: 5 }, (_, index) => localModel(`model-${index}`)));
    const { nextCursor } = await registry.models.list({ limit: 2 });
    const cursor = nextCursor!;
    const before = await store.dump();
    for (let place = 0; place < cursor.length; place++) {
      const other = cursor[place] === "A" ? "B" : "A";
      const changed = cursor.slice(0, place) + other + cursor.slice(place + 1);
      // The last character may hold bits that mean nothing.
      if (Buffer.from(changed, "base64url").equals(Buffer.from(cursor, "base64url"))) continue;
      await expectInvalid("cursor", registry.models.list({ cursor: changed }), changed);
      await expectInvalid("cursor", registry.models.list({ cursor: cursor.slice(0, place) }));
    }
    for (const bad of [
      "",
      " ",
      "x",
      "AAAA",
      "💥",
      `${cursor}AAAA`,
      "' OR 1=1 --",
      "A".repeat(1 << 20),
      5,
      {},
      [],
      true,
    ]) {
      await expectInvalid(
        "cursor",
        registry.models.list({ cursor: bad as never }),
        JSON.stringify(bad).slice(0, 20),
      );
    }
    expect(await store.dump()).toBe(before);
  });

  test("a cursor that was forged never reaches the database", async ({ registry, store }) => {
    await registry.models.createMany(Array.from({ length: 5 }, (_, index) => localModel(`model-${index}`)));
    const before = await store.dump();
    const sort = { field: "size_bytes" } as const;
    const question = questionOf(parseSelection({}), parseOrder(sort));
    const forged: [unknown, unknown][] = [
      [{ a: 1 }, 1],
      [[1], 1],
      [true, 1],
      ["1; DROP TABLE model", "x"],
      [1, 1.5],
      [1, "1 OR 1=1"],
      [1, null],
      [1, {}],
      [undefined, undefined],
    ];
    for (const [value, seq] of forged) {
      const cursor = toCursor({ value: value as never, seq: seq as never }, question);
      await expectInvalid("cursor", registry.models.list({ sort, cursor }), JSON.stringify([value, seq]));
    }
    expect(await store.dump()).toBe(before);
  });
});
