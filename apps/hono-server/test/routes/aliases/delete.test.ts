import { describe, expect } from "vitest";

import { test } from "../../harness.ts";

describe("DELETE /v1/aliases/{alias}", () => {
  test("200, then 404: it means nothing any more", async ({ service }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local", alias: "x/y" });
    const params = { path: { alias: "x/y" } };
    const { data } = await service.client.DELETE("/v1/aliases/{alias}", { params });
    expect(data).toEqual({ alias: "x/y", deleted: true });
    const { error } = await service.client.DELETE("/v1/aliases/{alias}", { params });
    expect(error?.error.code).toBe("model_not_found");
  });

  test("204: where the client prefers no body", async ({ service }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local", alias: "x" });
    const { response } = await service.client.DELETE("/v1/aliases/{alias}", {
      params: { path: { alias: "x" }, header: { Prefer: "return=minimal" } },
    });
    expect(response.status).toBe(204);
  });

  test("404: an id is no alias, and its model stays", async ({ service }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local", alias: null });
    const { error } = await service.client.DELETE("/v1/aliases/{alias}", {
      params: { path: { alias: "a" } },
    });
    expect(error?.error.code).toBe("not_found");
    expect(await service.registry.models.count()).toBe(1);
  });
});
