import fc from "fast-check";
import { describe, expect } from "vitest";

import { accessOf } from "../../src/domain/access.ts";
import { ROLES, type Grant, type Identity } from "../../src/index.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";

const id = fc
  .array(fc.constantFrom("a", "b", "A", "*", "?", "[", "]", "é", "😀", "/"), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => parts.join(""));
const owner = fc.constantFrom("ann", "bob", "Ann", "zoe");
const tag = fc.constantFrom("t", "T", "u");
const model = fc.record({
  modelId: id,
  owner: fc.option(owner),
  isPrivate: fc.boolean(),
  tags: fc.uniqueArray(tag),
  lives: fc.integer({ min: 1, max: 2 }),
});
const grant: fc.Arbitrary<Grant> = fc.record({
  role: fc.constantFrom(...ROLES),
  pattern: fc.option(
    fc.oneof(
      id,
      fc.tuple(id, id).map((parts) => parts.join("*")),
    ),
  ),
  tag: fc.option(tag, { freq: 1 }),
  owner: fc.option(owner, { freq: 1 }),
});
const user = fc.record({ user: owner, grants: fc.array(grant, { minLength: 1, maxLength: 3 }) });

describe.each(ENGINES)("what is seen ($name)", ({ test, createStore }) => {
  test(
    "is the same by the rule for one model, in lists, in the history and of what is gone",
    { timeout: 120_000 },
    async () => {
      const models = fc.uniqueArray(model, {
        selector: ({ modelId }) => modelId,
        minLength: 1,
        maxLength: 8,
      });
      await fc.assert(
        fc.asyncProperty(models, fc.array(user, { minLength: 1, maxLength: 4 }), async (wanted, users) => {
          await using store = await createStore();
          const registry = await store.open();
          for (const name of ["ann", "bob", "Ann", "zoe"]) {
            await registry.access.users.create({ name, grants: [{ role: "reader" }] });
          }
          for (const { modelId, owner: name, isPrivate, tags, lives } of wanted) {
            const input = localModel(modelId, {
              owner: name,
              private: isPrivate && name !== null,
              tags,
              alias: null,
            });
            await registry.models.create(input);
            if (lives === 1) continue;
            await registry.models.delete(modelId);
            await registry.models.create(localModel(modelId, { alias: null }));
          }
          const stored = (await registry.models.list({ limit: 100 })).items;
          const events = (await registry.history.list({ limit: 1000, order: "asc" })).items;
          for (const { user: name, grants } of users) {
            const identity: Identity = { user: name, grants, scopes: [], tokenId: null };
            const access = accessOf(identity);
            const mine = registry.as({ identity });
            const seen = stored.filter((one) => access.sees(one)).map(({ modelId }) => modelId);
            expect((await mine.models.list({ limit: 100 })).items.map(({ modelId }) => modelId)).toEqual(
              seen,
            );
            expect(await mine.models.count()).toBe(seen.length);
            const told = events.filter(({ modelId, eventId }) => {
              const gone = events.find(
                (one) => one.kind === "deleted" && one.modelId === modelId && one.eventId >= eventId,
              );
              const now = stored.find((one) => one.modelId === modelId)!;
              const was = gone?.before;
              if (was == null) return access.sees(now);
              return access.sees({
                modelId,
                tags: (was["tags"] ?? []) as string[],
                owner: (was["owner"] ?? null) as string | null,
                private: was["private"] === true,
              });
            });
            const shown = (await mine.history.list({ limit: 1000, order: "asc" })).items;
            expect(shown.map(({ eventId }) => eventId)).toEqual(told.map(({ eventId }) => eventId));
          }
        }),
        { numRuns: 60 },
      );
    },
  );
});
