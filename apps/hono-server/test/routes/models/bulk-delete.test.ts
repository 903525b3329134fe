import { describe, expect } from "vitest";

import { test as base } from "../../harness.ts";
import { sendLines } from "../../ndjson.ts";

const test = base.extend<{ url: string }>({
  url: async ({ service }, use) => {
    const { models, runs } = service.registry;
    await models.createMany(["a/b", "c", "d"].map((modelId) => ({ modelId, sourceType: "local" as const })));
    await models.update("a/b", { alias: "tiny" });
    await runs.acquire("c", { holder: "h" });
    await use(`${service.url}/v1/models:bulk-delete`);
  },
});

describe("POST /v1/models:bulk-delete", () => {
  test("200: a line for each", async ({ service, url }) => {
    const { results } = await sendLines(url, [
      { model_id: "tiny" },
      { model_id: "c" },
      { model_id: "none" },
      { model_id: "d", row_version: 2 },
      { id: "d" },
    ]);
    expect(results.map(({ status }) => status)).toEqual([200, 409, 404, 412, 400]);
    expect(results[0]?.id).toBe("a/b");
    expect(await service.registry.models.count()).toBe(2);
  });

  test("200: what was never there is passed over on request", async ({ url }) => {
    const { results } = await sendLines(`${url}?on_missing=skip`, [{ model_id: "none" }, { model_id: "d" }]);
    expect(results.map(({ status }) => status)).toEqual([204, 200]);
  });

  test.for([
    ["404: one that there is not", { model_id: "none" }],
    ["409: one that is running", { model_id: "c" }],
    ["412: one that was changed", { model_id: "a/b", row_version: 9 }],
  ] as const)("%s, and all or none is asked for", async ([name, line], { service, url }) => {
    const { response } = await sendLines(`${url}?atomic=true`, [{ model_id: "d" }, line]);
    expect(name).toContain(`${response.status}: `);
    expect(await service.registry.models.count()).toBe(3);
  });

  test("422: the key of another request", async ({ url }) => {
    const key = { "idempotency-key": "k" };
    await sendLines(url, [{ model_id: "d" }], key);
    const { response } = await sendLines(url, [{ model_id: "a/b" }], key);
    expect(response.status).toBe(422);
  });
});
