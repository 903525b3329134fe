import { describe, expect } from "vitest";

import { test } from "../../harness.ts";

const params = { path: { alias: "chat/best" } };

describe("PUT /v1/aliases/{alias}", () => {
  test("201, then 200: it is made, and points elsewhere in one step", async ({ service }) => {
    await service.registry.models.createMany([
      { modelId: "a", sourceType: "local" },
      { modelId: "b", sourceType: "local" },
    ]);
    const made = await service.client.PUT("/v1/aliases/{alias}", { params, body: { model_id: "a" } });
    expect([made.response.status, made.data]).toEqual([
      201,
      { alias: "chat/best", model_id: "a", primary: false },
    ]);
    const moved = await service.client.PUT("/v1/aliases/{alias}", { params, body: { model_id: "b" } });
    expect([moved.response.status, moved.data?.model_id]).toEqual([200, "b"]);
    expect((await service.registry.models.resolve("chat/best")).modelId).toBe("b");
    expect((await service.registry.models.get("a")).aliases).toEqual([]);
  });

  test("204: where the client prefers no body", async ({ service }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local", alias: "chat/best" });
    const { response } = await service.client.PUT("/v1/aliases/{alias}", {
      params: { ...params, header: { Prefer: "return=minimal" } },
      body: { model_id: "a" },
    });
    expect(response.status).toBe(204);
  });

  test("404: to a model that there is not", async ({ service }) => {
    const { response } = await service.client.PUT("/v1/aliases/{alias}", {
      params,
      body: { model_id: "none" },
    });
    expect(response.status).toBe(404);
  });

  test("409: another model's id is no alias", async ({ service }) => {
    await service.registry.models.createMany([
      { modelId: "chat/best", sourceType: "local" },
      { modelId: "b", sourceType: "local" },
    ]);
    const { response } = await service.client.PUT("/v1/aliases/{alias}", { params, body: { model_id: "b" } });
    expect(response.status).toBe(409);
  });
});
