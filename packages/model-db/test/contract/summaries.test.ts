import fc from "fast-check";
import { describe, expect } from "vitest";

import type { ListOptions, Model, ModelSummary, Registry } from "../../src/index.ts";
import { arbitraryListOptions, arbitraryModels } from "./arbitrary-models.ts";
import { ENGINES } from "./engines.ts";

const HOUR_MS = 3_600_000;

function summaryOf(model: Model): ModelSummary {
  const { modelId, alias, sourceType, sizeBytes, status, availability, tags, updatedAt } = model;
  return { modelId, alias, sourceType, sizeBytes, status, availability, tags, updatedAt };
}

async function expectSamePages({ models }: Registry, options: ListOptions): Promise<void> {
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await models.list({ ...options, cursor });
    expect(await models.summaries({ ...options, cursor })).toEqual({
      ...page,
      items: page.items.map(summaryOf),
    });
    cursor = page.nextCursor;
  }
}

describe.each(ENGINES)("summaries ($name)", ({ test, createStore }) => {
  test("are those of the models of any list, page by page", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryModels, arbitraryListOptions, async (models, options) => {
        await using store = await createStore();
        const registry = await store.open();
        await registry.models.createMany(models);
        await registry.runs.acquire(models[0]!.modelId, { holder: "engine", ttlMs: HOUR_MS });
        await expectSamePages(registry, { ...options, limit: 3 });
        await expectSamePages(registry, { sort: options.sort, limit: 3, total: true });
      }),
      { numRuns: 20, endOnFailure: true },
    );
  });
});
