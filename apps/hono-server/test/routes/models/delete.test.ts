import { describe, expect } from "vitest";

import { test } from "../../harness.ts";

const params = { path: { model_id: "a/b" } };

describe("DELETE /v1/models/{model_id}", () => {
  test("200: it is gone, and its history stays", async ({ service }) => {
    await service.registry.models.create({ modelId: "a/b", sourceType: "local", alias: "tiny" });
    const { data } = await service.client.DELETE("/v1/models/{model_id}", {
      params: { path: { model_id: "tiny" } },
    });
    expect(data).toMatchObject({ id: "a/b", object: "model", deleted: true });
    expect(await service.registry.models.find("a/b")).toBeUndefined();
    expect((await service.registry.history.list({ modelId: "a/b" })).items).toHaveLength(2);
  });

  test("204: where the client prefers no body", async ({ service }) => {
    await service.registry.models.create({ modelId: "a/b", sourceType: "local" });
    const { response } = await service.client.DELETE("/v1/models/{model_id}", {
      params: { ...params, header: { Prefer: "return=minimal" } },
    });
    expect(response.status).toBe(204);
  });

  test("404: there is no such model", async ({ service }) => {
    const { response } = await service.client.DELETE("/v1/models/{model_id}", { params });
    expect(response.status).toBe(404);
  });

  test("409: it is running", async ({ service }) => {
    await service.registry.models.create({ modelId: "a/b", sourceType: "local" });
    await service.registry.runs.acquire("a/b", { holder: "test" });
    const { error, response } = await service.client.DELETE("/v1/models/{model_id}", { params });
    expect([response.status, error?.error.code]).toEqual([409, "model_running"]);
  });

  test("412: it is not what If-Match names", async ({ service }) => {
    await service.registry.models.create({ modelId: "a/b", sourceType: "local" });
    const { response } = await service.client.DELETE("/v1/models/{model_id}", {
      params: { ...params, header: { "If-Match": '"1-other-0"' } },
    });
    expect(response.status).toBe(412);
    expect(await service.registry.models.find("a/b")).toBeDefined();
  });
});
