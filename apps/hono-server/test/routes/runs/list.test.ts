import { describe, expect } from "vitest";

import { test } from "../../harness.ts";

describe("GET /v1/runs", () => {
  test("200: the leases that hold, of all or of one", async ({ service }) => {
    const { models, runs } = service.registry;
    await models.createMany([
      { modelId: "a", sourceType: "local" },
      { modelId: "b", sourceType: "local" },
    ]);
    const run = await runs.acquire("a", { holder: "one" });
    await runs.acquire("b", { holder: "two" });
    const all = await service.client.GET("/v1/runs");
    expect(all.data?.data.map(({ holder }) => holder)).toEqual(["one", "two"]);
    const one = await service.client.GET("/v1/runs", { params: { query: { model_id: "a" } } });
    expect(one.data?.data).toMatchObject([{ token: run.token, model_id: "a" }]);
  });

  test("404: of a model that there is not", async ({ service }) => {
    const { response } = await service.client.GET("/v1/runs", { params: { query: { model_id: "none" } } });
    expect(response.status).toBe(404);
  });
});
