import fc from "fast-check";
import { describe, expect } from "vitest";

import { hasForbiddenCharacter, isRegistryError, type JsonObject, type NewModel } from "../../src/index.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";

// Characters from everywhere, and those that databases, JSON and case mapping are known to stumble over.
const character = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
  fc.string({ unit: "binary", minLength: 1, maxLength: 1 }).filter((one) => one.isWellFormed()),
  fc.constantFrom(
    "ß",
    "ẞ",
    "İ",
    "ı",
    "ſ",
    "K",
    "ﬀ",
    "Σ",
    "ς",
    "é",
    "e\u0301",
    "'",
    '"',
    "%",
    "_",
    "\\",
    "😀",
    "👩‍👩‍👧",
    "日本語",
    "0",
    "-0",
  ),
);
const text = fc
  .string({ unit: character, minLength: 1, maxLength: 12 })
  .filter((one) => !hasForbiddenCharacter(one) && one.trim() !== "" && one.length <= 200);
const name = text.map((one) => one.trim());
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, false, 0, -0, 1e21, 5e-324, 0.1, -1.5, Number.MAX_SAFE_INTEGER, "", "\u0000"),
    fc.string({ unit: character }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(
      fc.string({ unit: character, maxLength: 5 }).filter((key) => key !== "__proto__"),
      tie("value"),
      { maxKeys: 3 },
    ),
  ),
})).value;
const metadata = fc.dictionary(
  fc.string({ maxLength: 5 }).filter((key) => key !== "__proto__"),
  json,
  { maxKeys: 4 },
);

describe.each(ENGINES)("whatever a text holds ($name)", ({ test, createStore }) => {
  test("a model is given back as it was made, by every way of reading", async () => {
    const model = fc.record({
      modelId: name,
      alias: fc.option(name),
      aliases: fc.array(name, { maxLength: 2 }),
      authorRepo: text,
      configPath: text,
      notes: text,
      sizeBytes: fc.constantFrom(0, -0, 1, Number.MAX_SAFE_INTEGER),
      createdAt: fc.constantFrom(0, -0, 253_402_300_799_999),
      metadata,
      files: fc
        .uniqueArray(text, { maxLength: 2 })
        .map((paths) => paths.map((path) => ({ path, role: "other" as const }))),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(model, { minLength: 1, maxLength: 5 }), async (models) => {
        await using store = await createStore();
        const registry = await store.open();
        for (const one of models) {
          let created;
          try {
            created = await registry.models.create({ ...(one as unknown as NewModel), sourceType: "local" });
          } catch (error) {
            // Another has the name already, or it holds a character that no name may.
            expect(
              isRegistryError(error) && ["name_taken", "invalid_input"].includes(error.code),
              String(error),
            ).toBe(true);
            continue;
          }
          expect(created).toMatchObject({
            modelId: one.modelId,
            alias: one.alias,
            authorRepo: one.authorRepo,
            notes: one.notes,
          });
          expect(JSON.stringify(created.metadata)).toBe(JSON.stringify(one.metadata));
          expect(await registry.models.get(one.modelId)).toEqual(created);
          for (const known of [one.modelId, ...one.aliases, ...(one.alias === null ? [] : [one.alias])]) {
            expect(await registry.models.resolve(known)).toEqual(created);
            expect((await registry.models.resolveMany([known])).get(known)).toEqual(created);
            expect((await registry.models.names({ prefix: known })).map((found) => found.name)).toContain(
              known,
            );
          }
          expect((await registry.models.list({ filter: { model_id: one.modelId } })).items).toEqual([
            created,
          ]);
          expect(await registry.history.modelAt(one.modelId, Date.now())).toEqual(created);
          expect((await registry.files.list(one.modelId)).map(({ path }) => path).toSorted()).toEqual(
            one.files.map(({ path }) => path).toSorted(),
          );
        }
      }),
      { numRuns: 35 },
    );
  }, 20_000);

  test("a model is found by any part of its texts, as it is written", async ({ registry }) => {
    let count = 0;
    const part = fc.tuple(fc.nat(11), fc.integer({ min: 1, max: 6 }));
    await fc.assert(
      fc.asyncProperty(text, part, async (whole, [from, length]) => {
        const modelId = `model ${count++}`;
        await registry.models.create(localModel(modelId, { notes: whole, authorRepo: whole }));
        const piece = Array.from(whole)
          .slice(from, from + length)
          .join("");
        const ids = async (search: Parameters<typeof registry.models.list>[0]): Promise<string[]> =>
          (await registry.models.list({ ...search, limit: 1000 })).items.map((model) => model.modelId);
        if (piece.trim() !== "")
          expect(await ids({ search: piece }), JSON.stringify(piece)).toContain(modelId);
        if (piece !== "")
          expect(await ids({ filter: { author_repo: { like: piece } } }), JSON.stringify(piece)).toContain(
            modelId,
          );
        expect(await ids({ filter: { author_repo: whole } })).toContain(modelId);
        expect(await ids({ search: whole.trim() })).toContain(modelId);
      }),
      { numRuns: 80 },
    );
  }, 20_000);

  test("metadata takes every merge patch as RFC 7396 says", async ({ registry }) => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(metadata, metadata, async (target, patch) => {
        const modelId = `model ${count++}`;
        await registry.models.create(localModel(modelId, { metadata: target as JsonObject }));
        const { metadata: merged } = await registry.models.update(modelId, { metadata: patch as JsonObject });
        expect(JSON.parse(JSON.stringify(merged))).toEqual(
          JSON.parse(JSON.stringify(mergePatch(target, patch))),
        );
        expect((await registry.models.get(modelId)).metadata).toEqual(merged);
      }),
      { numRuns: 60 },
    );
  });
});

// The pseudocode of RFC 7396, section 2.
function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const merged = new Map(
    typeof target === "object" && target !== null && !Array.isArray(target) ? Object.entries(target) : [],
  );
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}
