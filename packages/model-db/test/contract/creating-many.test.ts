import { describe, expect } from "vitest";

import type { NewModel } from "../../src/index.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid, expectRefusal } from "./refusal.ts";

const some = (count: number, from = 0): NewModel[] =>
  Array.from({ length: count }, (_, index) => localModel(`model-${from + index}`, { tags: ["bulk"] }));

async function* slowly(models: readonly NewModel[]): AsyncGenerator<NewModel> {
  for (const model of models) {
    await new Promise((resolve) => setImmediate(resolve));
    yield model;
  }
}

async function* breaking(): AsyncGenerator<NewModel> {
  yield* slowly(some(50));
  throw new Error("the source broke");
}

function* breakingAtOnce(): Generator<NewModel> {
  yield* some(50);
  throw new TypeError("broken");
}

describe.each(ENGINES)("creating many models ($name)", ({ test }) => {
  test("each is stored with its names, tags, files, search text and history", async ({ registry }) => {
    const models = some(300).map((model, index) => ({
      ...model,
      alias: `alias-${index}`,
      files: [{ path: "p", role: "weights" as const }],
    }));
    expect(await registry.models.createMany(models, { actor: "importer" })).toEqual({
      created: 300,
      skipped: 0,
    });
    expect(await registry.models.count({ tags: { all: ["bulk"] } })).toBe(300);
    expect((await registry.models.resolve("alias-299")).modelId).toBe("model-299");
    expect(await registry.files.list("model-7")).toHaveLength(1);
    expect(await registry.models.count({ search: "model-299" })).toBe(1);
    const { items } = await registry.history.list({ actor: "importer", limit: 1000 });
    expect(items.filter(({ kind }) => kind === "created")).toHaveLength(300);
  });

  test("12,000 are stored as well as one, and found", async ({ registry }) => {
    await registry.models.create(localModel("needle-before"));
    const models = Array.from({ length: 12_000 }, (_, index) => localModel(`needle-${index}`));
    expect(await registry.models.createMany(models)).toEqual({ created: 12_000, skipped: 0 });
    await registry.models.create(localModel("needle-after"));
    expect(await registry.models.count({ search: "needle" })).toBe(12_002);
    expect((await registry.models.list({ search: "needle-11999" })).items).toMatchObject([
      { modelId: "needle-11999" },
    ]);
    await registry.models.delete("needle-77");
    expect(await registry.models.count({ search: "needle" })).toBe(12_001);
  }, 20_000);

  test("any iterable will do, also an asynchronous one and an empty one", async ({ registry }) => {
    expect(await registry.models.createMany(new Set(some(2)))).toEqual({ created: 2, skipped: 0 });
    expect(await registry.models.createMany(slowly(some(5, 10)))).toEqual({ created: 5, skipped: 0 });
    expect(await registry.models.createMany([])).toEqual({ created: 0, skipped: 0 });
    expect(await registry.models.count()).toBe(7);
  });

  test.for([
    ["an id twice", [...some(3), localModel("model-1")], "name_taken"],
    ["an id that is there already", [...some(3), localModel("there")], "name_taken"],
    ["an id that is an alias", [...some(3), localModel("alias")], "name_taken"],
    ["an alias that is taken", [...some(3), localModel("x", { alias: "there" })], "name_taken"],
    ["a bad field in the last one", [...some(3), localModel("x", { sizeBytes: -1 })], "invalid_input"],
    ["something that is no model", [...some(3), 5 as never], "invalid_input"],
  ] as const)("with %s, none is created", async ([, models, code], { registry, store }) => {
    await registry.models.create(localModel("there", { alias: "alias" }));
    const before = await store.dump();
    await expectRefusal(code, registry.models.createMany(models));
    await expectRefusal(code, registry.models.createMany(slowly(models)));
    expect(await store.dump()).toBe(before);
  });

  test("with skip, models that are there already are passed over and left as they are", async ({
    registry,
  }) => {
    const there = await registry.models.create(localModel("model-1", { notes: "mine" }));
    const result = await registry.models.createMany([...some(3), ...some(3)], { onExisting: "skip" });
    expect(result).toEqual({ created: 2, skipped: 4 });
    expect(await registry.models.get("model-1")).toEqual(there);
    expect((await registry.history.list({ modelId: "model-1" })).items).toHaveLength(1);
  });

  test("with skip, an alias that is taken is still refused, and none is created", async ({
    registry,
    store,
  }) => {
    await registry.models.create(localModel("there", { alias: "alias" }));
    const before = await store.dump();
    const skip = { onExisting: "skip" } as const;
    await expectRefusal("name_taken", registry.models.createMany([...some(2), localModel("alias")], skip));
    await expectRefusal(
      "name_taken",
      registry.models.createMany([...some(2), localModel("x", { alias: "there" })], skip),
    );
    expect(await store.dump()).toBe(before);
  });

  test("when the source fails on the way, its error comes through and nothing is left", async ({
    registry,
    store,
  }) => {
    const before = await store.dump();
    await expect(registry.models.createMany(breaking())).rejects.toThrow("the source broke");
    await expect(registry.models.createMany(breakingAtOnce())).rejects.toThrow(TypeError);
    expect(await store.dump()).toBe(before);
    await registry.models.create(localModel("the registry goes on"));
  });

  test("a source that is left early is told so", async ({ registry }) => {
    let closed = false;
    const source = function* (): Generator<NewModel> {
      try {
        yield localModel("a");
        yield localModel("a");
        yield localModel("b");
      } finally {
        closed = true;
      }
    };
    await expectRefusal("name_taken", registry.models.createMany(source()));
    expect(closed).toBe(true);
  });

  test("nobody sees any before all are there", async ({ registry, store }) => {
    const reader = await store.open({ mode: "read" });
    const seen = new Set<number>();
    const source = async function* (): AsyncGenerator<NewModel> {
      for (const model of some(20)) {
        seen.add(await reader.models.count());
        yield model;
      }
    };
    await registry.models.createMany(source());
    expect([...seen]).toEqual([0]);
    expect(await reader.models.count()).toBe(20);
  });

  test("only one model at a time is held", async ({ registry }) => {
    let pulled = 0;
    let stored = 0;
    const source = function* (): Generator<NewModel> {
      for (const model of some(50)) {
        pulled++;
        expect(pulled - stored).toBeLessThanOrEqual(1);
        yield model;
        stored++;
      }
    };
    await registry.models.createMany(source());
    expect(stored).toBe(50);
  });

  test("a source that changes the registry that waits for it is refused, not waited for", async ({
    registry,
    store,
  }) => {
    const before = await store.dump();
    const source = async function* (): AsyncGenerator<NewModel> {
      await registry.models.create(localModel("inner"));
      yield localModel("outer");
    };
    await expectInvalid("transaction", registry.models.createMany(source()));
    const within = registry.transaction(({ models }) =>
      models.createMany(
        (async function* () {
          await models.create(localModel("inner"));
          yield localModel("outer");
        })(),
      ),
    );
    await expectInvalid("transaction", within);
    expect(await store.dump()).toBe(before);
  }, 3000);

  test("what is no list of models is refused", async ({ registry }) => {
    for (const models of [undefined, null, 5, "text", {}, { length: 2 }, () => some(2)]) {
      await expectInvalid(undefined, registry.models.createMany(models as never));
    }
    await expectInvalid(undefined, registry.models.createMany([], { onExisting: "replace" as never }));
    await expectInvalid(undefined, registry.models.createMany([], { onexisting: "skip" } as never));
  });
});
