import { describe, expect } from "vitest";

import { test } from "../../harness.ts";

describe("DELETE /v1/runs/{token}", () => {
  test("200, then 409: the model is READY, and the lease is lost", async ({ service }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local" });
    const { token } = await service.registry.runs.acquire("a", { holder: "h" });
    const params = { path: { token: String(token) } };
    const { data } = await service.client.DELETE("/v1/runs/{token}", { params });
    expect(data).toEqual({ token, deleted: true });
    expect((await service.registry.models.get("a")).status).toBe(0);
    const { error } = await service.client.DELETE("/v1/runs/{token}", { params });
    expect(error?.error.code).toBe("lease_lost");
  });

  test("204: where the client prefers no body", async ({ service }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local" });
    const { token } = await service.registry.runs.acquire("a", { holder: "h" });
    const { response } = await service.client.DELETE("/v1/runs/{token}", {
      params: { path: { token: String(token) }, header: { Prefer: "return=minimal" } },
    });
    expect(response.status).toBe(204);
  });
});
