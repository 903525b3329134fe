import { describe, expect } from "vitest";

import { test as base } from "../../harness.ts";

const test = base.extend<{ model: string }>({
  model: async ({ service }, use) => {
    await service.registry.models.create({ modelId: "a/b", sourceType: "local" });
    await use("a/b");
  },
});

describe("POST /v1/runs", () => {
  test("201, then 200: a claim makes it run, the same claim renews", async ({ service, model }) => {
    const body = { model_id: model, holder: "engine", node: "n", pid: 7, endpoint: "http://x", ttl_ms: 5000 };
    const first = await service.client.POST("/v1/runs", { body });
    expect(first.response.status).toBe(201);
    expect(first.data).toMatchObject(body);
    expect(first.response.headers.get("location")).toBe(`/v1/runs/${first.data?.token}`);
    expect((await service.registry.models.get(model)).status).toBe(1);
    const again = await service.client.POST("/v1/runs", { body });
    expect([again.response.status, again.data?.token]).toEqual([200, first.data?.token]);
  });

  test("201: several share a model when they join", async ({ service, model }) => {
    await service.client.POST("/v1/runs", { body: { model_id: model } });
    const { response } = await service.client.POST("/v1/runs", { body: { model_id: model, join: true } });
    expect(response.status).toBe(201);
    expect(await service.registry.runs.list()).toHaveLength(2);
  });

  test("204: a renewal, where the client prefers no body", async ({ service, model }) => {
    const body = { model_id: model, holder: "engine" };
    await service.client.POST("/v1/runs", { body });
    const { response } = await service.client.POST("/v1/runs", {
      params: { header: { Prefer: "return=minimal" } },
      body,
    });
    expect(response.status).toBe(204);
  });

  test("201, then 422: with a key it is claimed once, and the key is this request's", async ({
    service,
    model,
  }) => {
    const header = { "Idempotency-Key": "k" };
    const claim = async (more: object): Promise<{ status: number; token: number | undefined }> => {
      const { data, response } = await service.client.POST("/v1/runs", {
        params: { header },
        body: { model_id: model, join: true, ...more },
      });
      return { status: response.status, token: data?.token };
    };
    const first = await claim({});
    expect(await claim({})).toEqual(first);
    expect(await service.registry.runs.list()).toHaveLength(1);
    expect((await claim({ ttl_ms: 1000 })).status).toBe(422);
  });

  test.for([{ ttl_ms: 999 }, { ttl_ms: 2_592_000_001 }, { pid: 0 }, { holder: "" }])(
    "400: %j",
    async (wrong, { service, model }) => {
      const { response } = await service.client.POST("/v1/runs", { body: { model_id: model, ...wrong } });
      expect(response.status).toBe(400);
    },
  );

  test("404: there is no such model", async ({ service }) => {
    const { response } = await service.client.POST("/v1/runs", { body: { model_id: "none" } });
    expect(response.status).toBe(404);
  });

  test("409: others run it, also those that gave no name", async ({ service, model }) => {
    await service.client.POST("/v1/runs", { body: { model_id: model } });
    const { error } = await service.client.POST("/v1/runs", { body: { model_id: model } });
    expect(error?.error.code).toBe("model_running");
  });
});
