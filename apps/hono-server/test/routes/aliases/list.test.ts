import { describe, expect } from "vitest";

import { test } from "../../harness.ts";

describe("GET /v1/aliases", () => {
  test("200: those of all models, page by page", async ({ service }) => {
    await service.registry.models.createMany([
      { modelId: "a", sourceType: "local", alias: "first", aliases: ["x/y"] },
      { modelId: "b", sourceType: "local", alias: null },
      { modelId: "c", sourceType: "local", alias: "third" },
    ]);
    const first = await service.client.GET("/v1/aliases", { params: { query: { limit: 2 } } });
    expect(first.data?.data).toEqual([
      { alias: "first", model_id: "a", primary: true },
      { alias: "x/y", model_id: "a", primary: false },
    ]);
    expect(first.response.headers.get("link")).toContain("limit=2&cursor=");
    const last = await service.client.GET("/v1/aliases", {
      params: { query: { limit: 2, cursor: first.data!.next_cursor! } },
    });
    expect(last.data).toMatchObject({ data: [{ alias: "third" }], next_cursor: null });
  });

  test("200: those of one", async ({ service }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local", alias: "first" });
    const { data } = await service.client.GET("/v1/aliases", { params: { query: { model_id: "first" } } });
    expect(data?.data).toEqual([{ alias: "first", model_id: "a", primary: true }]);
  });

  test("404: of a model that there is not", async ({ service }) => {
    const { response } = await service.client.GET("/v1/aliases", { params: { query: { model_id: "none" } } });
    expect(response.status).toBe(404);
  });
});
