import { describe, expect } from "vitest";

import { test } from "../../harness.ts";

describe("POST /v1/tags", () => {
  test("200: tags come and go", async ({ service }) => {
    await service.registry.models.create({ modelId: "a/b", sourceType: "local", tags: ["old"] });
    const { data } = await service.client.POST("/v1/tags", {
      body: { model_id: "a/b", add: ["new"], remove: ["old", "none"] },
    });
    expect(data?.tags).toEqual(["new"]);
  });

  test("204: where the client prefers no body", async ({ service }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local" });
    const { response } = await service.client.POST("/v1/tags", {
      params: { header: { Prefer: "return=minimal" } },
      body: { model_id: "a", add: ["new"] },
    });
    expect(response.status).toBe(204);
  });

  test("400: a tag both to add and to remove", async ({ service }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local" });
    const { response } = await service.client.POST("/v1/tags", {
      body: { model_id: "a", add: ["x"], remove: ["x"] },
    });
    expect(response.status).toBe(400);
  });

  test("404: there is no such model", async ({ service }) => {
    const { response } = await service.client.POST("/v1/tags", { body: { model_id: "none", add: ["x"] } });
    expect(response.status).toBe(404);
  });

  test("412: it is not what If-Match names", async ({ service }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local" });
    const { response } = await service.client.POST("/v1/tags", {
      params: { header: { "If-Match": '"other"' } },
      body: { model_id: "a", add: ["x"] },
    });
    expect(response.status).toBe(412);
  });
});
