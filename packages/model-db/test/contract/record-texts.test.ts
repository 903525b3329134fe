import fc from "fast-check";
import { describe, expect } from "vitest";

import {
  hasForbiddenCharacter,
  isRegistryError,
  MODEL_FIELDS,
  Projection,
  toRecord,
  type ListOptions,
  type NewModel,
  type Registry,
} from "../../src/index.ts";
import { arbitraryListOptions, arbitraryModels } from "./arbitrary-models.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid, expectRefusal } from "./refusal.ts";

const HOUR_MS = 3_600_000;
const TOO_MANY = Array.from({ length: 101 }, () => ({ key: "a", text: "" }));
const MANY = { numRuns: 20, endOnFailure: true };

async function expectSameTexts(registry: Registry, options: ListOptions): Promise<void> {
  const decoded = await registry.models.list(options);
  const texts = await registry.models.listJson(options);
  const items = decoded.items.map((model) => JSON.stringify(toRecord(model)));
  expect(texts).toEqual({ ...decoded, items });
  for (const { modelId, rowVersion, rowChecksum, updatedAt, status, ...rest } of decoded.items.slice(0, 3)) {
    expect(await registry.models.resolveJson(modelId)).toEqual({
      rowVersion,
      rowChecksum,
      updatedAt,
      status,
      json: JSON.stringify(toRecord({ modelId, rowVersion, rowChecksum, updatedAt, status, ...rest })),
    });
  }
}

describe.each(ENGINES)("JSON texts ($name)", ({ test, createStore }) => {
  test("of any models, in any list, are those of their records", { timeout: 60_000 }, async () => {
    const anything = fc.record({
      metadata: fc.dictionary(fc.string({ unit: "binary", maxLength: 4 }), fc.jsonValue({ maxDepth: 2 }), {
        maxKeys: 3,
      }),
      capabilities: fc.uniqueArray(fc.constantFrom("chat", "tools", "a/b"), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(arbitraryModels, anything, arbitraryListOptions, async (models, extra, options) => {
        await using store = await createStore();
        const registry = await store.open();
        const all = models.map((model) => ({ ...model, ...(extra as Partial<NewModel>) }));
        await registry.models.createMany(all).catch((error: unknown) => {
          // Not every JSON is metadata.
          fc.pre(!isRegistryError(error));
          throw error;
        });
        await registry.runs.acquire(models[0]!.modelId, { holder: "engine", ttlMs: HOUR_MS });
        for (const limit of [3, 1000]) await expectSameTexts(registry, { ...options, limit });
        await expectSameTexts(registry, { total: true });
      }),
      MANY,
    );
  });

  test("hold any character that a field can", async ({ registry }) => {
    const characters = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code));
    const notes = characters.filter((character) => !hasForbiddenCharacter(character)).join("");
    await registry.models.create(localModel("a", { notes: `"\\/\n\r\t${notes}` }));
    await expectSameTexts(registry, {});
  });

  test("say what a projection says", async ({ registry }) => {
    await registry.models.create(localModel("a", { createdAt: 1_999, tags: ["t"], sizeBytes: 5 }));
    const projection = new Projection([
      { key: "id", field: "model_id" },
      { key: "object", text: "model" },
      { key: "created", secondsOf: "created_at" },
      { key: "owned_by", firstOf: ["author_repo", "source_type"] },
      { key: "tags", field: "tags" },
      { key: "100%", text: `it's "all", 100%s` },
    ]);
    const text = `{"id":"a","object":"model","created":1,"owned_by":"local","tags":["t"],"100%":"it's \\"all\\", 100%s"}`;

    expect((await registry.models.resolveJson("a", projection)).json).toBe(text);
    expect((await registry.models.listJson({}, projection)).items).toEqual([text]);
  });

  test("of what is not there are not found", async ({ registry }) => {
    await expectRefusal("model_not_found", registry.models.resolveJson("none"));
    await expectInvalid("name", registry.models.resolveJson(""));
    await expectInvalid("limit", registry.models.listJson({ limit: 0 }));
    for (const fields of [[], [{ key: "a", field: "nothing" }], TOO_MANY]) {
      await expectInvalid("fields", () => new Projection(fields as never));
    }
    expect(MODEL_FIELDS.length).toBeLessThan(100);
  });
});
