import { describe, expect } from "vitest";

import { test } from "../../harness.ts";

describe("GET /v1/names", () => {
  test("200: ids and aliases that begin so", async ({ service }) => {
    await service.registry.models.createMany([
      { modelId: "tinyllama", sourceType: "local", alias: "tiny" },
      { modelId: "other", sourceType: "local", alias: null },
    ]);
    const of = async (query: { prefix?: string; limit?: number }): Promise<string[] | undefined> =>
      (await service.client.GET("/v1/names", { params: { query } })).data?.data.map(({ name }) => name);
    expect(await of({ prefix: "ti" })).toEqual(["tiny", "tinyllama"]);
    expect(await of({ prefix: "ti", limit: 1 })).toEqual(["tiny"]);
    expect(await of({ prefix: "%" })).toEqual([]);
    expect(await of({})).toEqual(["other", "tiny", "tinyllama"]);
  });
});
