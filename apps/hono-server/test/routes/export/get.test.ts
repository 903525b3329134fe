import { describe, expect } from "vitest";

import { test } from "../../harness.ts";
import { sendLines } from "../../ndjson.ts";

describe("GET /v1/export", () => {
  test("200: every model with its files, in the order of the ids, and it can be registered again", async ({
    service,
  }) => {
    const { models } = service.registry;
    await models.createMany(
      Array.from({ length: 1100 }, (_, index) => ({
        modelId: `m${String(index).padStart(4, "0")}`,
        sourceType: "local" as const,
        files: index === 7 ? [{ path: "/a", role: "weights" as const }] : [],
      })),
    );
    const { data } = await service.client.GET("/v1/export", { parseAs: "text" });
    const lines = (data as unknown as string).trimEnd().split("\n");
    const records = lines.map((line) => JSON.parse(line) as { model_id: string; files: object[] });
    expect(records.map(({ model_id }) => model_id)).toEqual(
      Array.from({ length: 1100 }, (_, index) => `m${String(index).padStart(4, "0")}`),
    );
    expect(records[7]?.files).toMatchObject([{ path: "/a", role: "weights" }]);
  });

  test("200: an empty registry is an empty answer, and HEAD reads nothing", async ({ service }) => {
    const { data } = await service.client.GET("/v1/export", { parseAs: "text" });
    expect(data).toBe("");
    const head = await fetch(`${service.url}/v1/export`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-type")]).toEqual([200, "application/x-ndjson"]);
  });

  test("200: a client that goes away ends it", async ({ service }) => {
    await sendLines(
      `${service.url}/v1/models:bulk-create`,
      Array.from({ length: 1200 }, (_, index) => ({ model_id: `m${index}`, source_type: "local" })),
    );
    const answer = await fetch(`${service.url}/v1/export`);
    await answer.body!.cancel();
    expect((await fetch(`${service.url}/v1/models?limit=1`)).status).toBe(200);
  });
});
