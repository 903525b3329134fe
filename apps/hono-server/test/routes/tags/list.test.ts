import { describe, expect } from "vitest";

import { test } from "../../harness.ts";

describe("GET /v1/tags", () => {
  test("200: each with its count, page by page", async ({ service }) => {
    await service.registry.models.createMany([
      { modelId: "a", sourceType: "local", tags: ["x", "y"] },
      { modelId: "b", sourceType: "local", tags: ["x"] },
    ]);
    const first = await service.client.GET("/v1/tags", { params: { query: { limit: 1 } } });
    expect(first.data).toMatchObject({ data: [{ tag: "x", count: 2 }], next_cursor: "x" });
    expect(first.response.headers.get("link")).toBe('</v1/tags?limit=1&cursor=x>; rel="next"');
    const last = await service.client.GET("/v1/tags", { params: { query: { limit: 1, cursor: "x" } } });
    expect(last.data).toMatchObject({ data: [{ tag: "y", count: 1 }], next_cursor: null });
  });
});
