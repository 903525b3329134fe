import { describe, expect } from "vitest";

import { MODEL_FIELDS, MODEL_STATUS, toRecord, type NewModel } from "../../src/index.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid, expectRefusal } from "./refusal.ts";

const full: NewModel = {
  modelId: "TheBloke:OpenHermes-2.5-Mistral-7B-GGUF:openhermes-2.5-mistral-7b.Q4_K_M.gguf",
  sourceType: "huggingface",
  authorRepo: "TheBloke",
  branch: "main",
  configPath: "models/a b/ö/model.yml",
  alias: "hermes",
  aliases: ["openhermes", "OpenHermes"],
  createdAt: 0,
  updatedAt: 253_402_300_799_999,
  availability: "partial",
  engine: "llama-cpp",
  format: "gguf",
  architecture: "llama",
  quantization: "Q4_K_M",
  parameterCount: Number.MAX_SAFE_INTEGER,
  contextLength: 32_768,
  sizeBytes: 4_368_439_584,
  capabilities: ["chat", "tools"],
  metadata: { a: [1, 2.5, null, true, { b: "ü😀" }], constructor: "x", "": "", n: -1e300 },
  tags: ["chat", "état", "a/b=c:d"],
  notes: "two\nlines\tand 😀",
  pinned: true,
  owner: null,
  private: false,
  lastUsedAt: 1,
};

describe.each(ENGINES)("creating a model ($name)", ({ test }) => {
  test("every field is kept as it was given", async ({ registry, store }) => {
    const created = await registry.models.create(full);
    expect(created).toEqual({
      ...full,
      status: MODEL_STATUS.READY,
      rowVersion: 1,
      rowChecksum: expect.stringMatching(/./),
    });
    expect(await registry.models.get(full.modelId)).toEqual(created);
    await registry.close();
    const reopened = await store.open();
    expect(await reopened.models.get(full.modelId)).toEqual(created);
  });

  test("what is left out gets its default", async ({ registry }) => {
    const before = Date.now();
    const created = await registry.models.create({ modelId: "a", sourceType: "local", alias: null });
    expect(created.createdAt).toBeGreaterThanOrEqual(before);
    expect(created.createdAt).toBeLessThanOrEqual(Date.now());
    expect(created).toEqual({
      modelId: "a",
      sourceType: "local",
      authorRepo: null,
      branch: null,
      configPath: null,
      alias: null,
      aliases: [],
      status: MODEL_STATUS.READY,
      createdAt: created.createdAt,
      updatedAt: created.createdAt,
      availability: "missing",
      engine: null,
      format: null,
      architecture: null,
      quantization: null,
      parameterCount: null,
      contextLength: null,
      sizeBytes: null,
      capabilities: [],
      metadata: {},
      tags: [],
      notes: null,
      pinned: false,
      owner: null,
      private: false,
      lastUsedAt: null,
      rowVersion: 1,
      rowChecksum: created.rowChecksum,
    });
  });

  test("whether a model is here is told from its source and its files, unless it is said", async ({
    registry,
  }) => {
    const files = [{ path: "p", role: "weights" as const }];
    const made: [NewModel, string][] = [
      [{ modelId: "a", sourceType: "remote" }, "remote"],
      [{ modelId: "b", sourceType: "local" }, "missing"],
      [{ modelId: "c", sourceType: "local", files: [] }, "missing"],
      [{ modelId: "d", sourceType: "local", files }, "present"],
      [{ modelId: "e", sourceType: "local", files, availability: "partial" }, "partial"],
      [{ modelId: "f", sourceType: "remote", availability: "downloadable" }, "downloadable"],
    ];
    for (const [model, availability] of made) {
      expect((await registry.models.create(model)).availability, model.modelId).toBe(availability);
    }
  });

  test("an empty text is the same as none", async ({ registry }) => {
    const created = await registry.models.create(localModel("a", { authorRepo: "", notes: "", engine: "" }));
    expect([created.authorRepo, created.notes, created.engine]).toEqual([null, null, null]);
  });

  test("undefined is the same as left out", async ({ registry }) => {
    const created = await registry.models.create({
      modelId: "a.gguf",
      sourceType: "local",
      alias: undefined,
      tags: undefined,
      files: undefined,
    } as never);
    expect(created).toMatchObject({ alias: "a", tags: [] });
  });

  test("what the caller does with the model afterwards changes nothing", async ({ registry }) => {
    const metadata = { list: [1] };
    const tags = ["x"];
    const creating = registry.models.create(localModel("a", { metadata, tags }));
    metadata.list.push(2);
    tags.push("y");
    const created = await creating;
    expect(created).toMatchObject({ metadata: { list: [1] }, tags: ["x"] });
    expect(await registry.models.get("a")).toEqual(created);
  });

  test("an id that is there already is refused", async ({ registry, store }) => {
    await registry.models.create(localModel("a"));
    const before = await store.dump();
    await expectRefusal("name_taken", registry.models.create(localModel("a", { notes: "other" })));
    expect(await store.dump()).toBe(before);
  });

  test("an id that is another model's alias is refused", async ({ registry, store }) => {
    await registry.models.create(localModel("a", { alias: "b", aliases: ["c"] }));
    const before = await store.dump();
    await expectRefusal("name_taken", registry.models.create(localModel("b")));
    await expectRefusal("name_taken", registry.models.create(localModel("c")));
    expect(await store.dump()).toBe(before);
  });

  test("an alias that is another model's id or alias is refused", async ({ registry, store }) => {
    await registry.models.create(localModel("a", { alias: "b", aliases: ["c"] }));
    const before = await store.dump();
    for (const taken of ["a", "b", "c"]) {
      await expectRefusal("name_taken", registry.models.create(localModel("new", { alias: taken })));
      await expectRefusal(
        "name_taken",
        registry.models.create(localModel("new", { aliases: ["free", taken] })),
      );
    }
    expect(await store.dump()).toBe(before);
    await registry.models.create(localModel("new", { alias: "free" }));
  });

  test("a taken name says which model it means", async ({ registry }) => {
    await registry.models.create(localModel("the-owner", { alias: "best" }));
    const refusal = await expectRefusal(
      "name_taken",
      registry.models.create(localModel("x", { alias: "best" })),
    );
    expect(refusal.message).toContain("best");
    expect(refusal.message).toContain("the-owner");
  });

  test("names are told apart by case and by Unicode form", async ({ registry }) => {
    for (const id of ["caf\u00e9", "cafe\u0301", "CAF\u00c9"]) await registry.models.create(localModel(id));
    expect(await registry.models.count()).toBe(3);
    expect((await registry.models.get("cafe\u0301")).modelId).toBe("cafe\u0301");
  });

  test("an alias equal to the model's own id is accepted and read back", async ({ registry }) => {
    const created = await registry.models.create(
      localModel("tinyllama:1b-gguf", { alias: "tinyllama:1b-gguf" }),
    );
    expect(created.alias).toBe("tinyllama:1b-gguf");
    expect((await registry.models.resolve("tinyllama:1b-gguf")).alias).toBe("tinyllama:1b-gguf");
  });

  test("each name is held once, however often it was given", async ({ registry }) => {
    const created = await registry.models.create(
      localModel("a", {
        alias: "b",
        aliases: ["b", "c", "c", "a"],
        tags: ["x", "x"],
        capabilities: ["y", "y"],
      }),
    );
    expect(created).toMatchObject({ alias: "b", aliases: ["c"], tags: ["x"], capabilities: ["y"] });
  });

  test("files are recorded with the model, as one change", async ({ registry }) => {
    const file = { path: "m/a.gguf", role: "weights", sizeBytes: 7, sha256: "0".repeat(64) } as const;
    const created = await registry.models.create(localModel("a", { files: [file] }));
    expect(created.rowVersion).toBe(1);
    expect(await registry.files.list("a")).toEqual([{ ...file, verifiedAt: null, source: null }]);
    const { items } = await registry.history.list();
    expect(items).toHaveLength(1);
    expect(items[0]!.after).toMatchObject({ files: [{ path: "m/a.gguf", size_bytes: 7 }] });
  });

  test("the same path twice among the files is refused", async ({ registry, store }) => {
    const before = await store.dump();
    const files = [
      { path: "x", role: "weights" },
      { path: "x", role: "config" },
    ] as const;
    await expectInvalid("files", registry.models.create(localModel("a", { files })));
    expect(await store.dump()).toBe(before);
  });

  test("a record has exactly the fields of the data model, in their order", async ({ registry }) => {
    const record = toRecord(await registry.models.create(full));
    expect(Object.keys(record)).toEqual(MODEL_FIELDS.map(({ name }) => name));
    expect(record).toMatchObject({
      model_id: full.modelId,
      source_type: "huggingface",
      size_bytes: 4_368_439_584,
      status: 0,
      pinned: true,
      tags: full.tags,
    });
  });
});
