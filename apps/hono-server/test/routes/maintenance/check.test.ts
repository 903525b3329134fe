import { describe, expect } from "vitest";

import { test } from "../../harness.ts";

describe("POST /v1/maintenance/check", () => {
  test("200: nothing is wrong with a registry that is well", async ({ service }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local" });
    const { data } = await service.client.POST("/v1/maintenance/check", {
      params: { query: { full: true } },
    });
    expect(data).toEqual({ is_sound: true, findings: [] });
  });

  test("200: what is not as it should be is told", async ({ service }) => {
    await service.registry.models.create({
      modelId: "a",
      sourceType: "local",
      files: [{ path: "/nowhere/a.gguf", role: "weights" }],
    });
    const { data } = await service.client.POST("/v1/maintenance/check", {
      params: { query: { full: true } },
    });
    expect(data).toMatchObject({ is_sound: true, findings: [{ code: "file_gone", severity: "warning" }] });
  });

  test("503: one at a time", async ({ service }) => {
    const { models } = service.registry;
    await models.createMany(
      Array.from({ length: 2000 }, (_, index) => ({ modelId: `m${index}`, sourceType: "local" })),
    );
    const ask = async (): Promise<number> =>
      (await service.client.POST("/v1/maintenance/check", { params: { query: { full: true } } })).response
        .status;
    expect((await Promise.all([ask(), ask()])).toSorted((a, b) => a - b)).toEqual([200, 503]);
    expect(await ask()).toBe(200);
  });
});
