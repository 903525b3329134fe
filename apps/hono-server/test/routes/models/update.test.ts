import { describe, expect } from "vitest";

import { checkedFetch } from "../../checked-fetch.ts";
import { test as base } from "../../harness.ts";

const path = { model_id: "a/b" };

/** A service with one model, and how it is changed. */
const test = base.extend<{ change: (body: object, headers?: Record<string, string>) => Promise<Response> }>({
  change: async ({ service }, use) => {
    await service.registry.models.create({
      modelId: "a/b",
      sourceType: "local",
      metadata: { a: 1, b: { c: 2 } },
      tags: ["old"],
    });
    await use((body, headers = {}) =>
      checkedFetch(`${service.url}/v1/models/a%2Fb`, {
        method: "PATCH",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      }),
    );
  },
});

describe("PATCH /v1/models/{model_id}", () => {
  test("200: only what is named changes, lists as a whole and metadata by a merge patch", async ({
    service,
    change,
  }) => {
    const before = await service.registry.models.get("a/b");
    const answer = await change({ tags: ["new"], metadata: { a: null, b: { d: 3 } }, notes: "n" });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      tags: ["new"],
      metadata: { b: { c: 2, d: 3 } },
      notes: "n",
      alias: before.alias,
      row_version: 2,
    });
    const { response } = await service.client.GET("/v1/models/{model_id}", { params: { path } });
    expect(answer.headers.get("etag")).toBe(response.headers.get("etag"));
  });

  test("200: with If-Match of the ETag it has, in a list, or with *", async ({ service, change }) => {
    const etag = (
      await service.client.GET("/v1/models/{model_id}", { params: { path } })
    ).response.headers.get("etag")!;
    expect((await change({ notes: "1" }, { "if-match": `"x", ${etag}` })).status).toBe(200);
    expect((await change({ notes: "2" }, { "if-match": "*" })).status).toBe(200);
  });

  test("204: where the client prefers no body", async ({ change }) => {
    const answer = await change({ notes: "n" }, { prefer: 'return="minimal"' });
    expect([answer.status, answer.headers.get("preference-applied")]).toEqual([204, "return=minimal"]);
    expect((await change({ notes: "m" }, { prefer: "return=representation" })).status).toBe(200);
  });

  test.for([
    [{ model_id: "c" }, "model_id"],
    [{ created_at: 1 }, "created_at"],
    [{ pinned: "yes" }, "pinned"],
    [{ alias: "" }, "alias"],
    [{ __proto: 1 }, "__proto"],
  ] as const)("400: %j names %s", async ([body, name], { change }) => {
    const answer = await change(body);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(name);
  });

  test("404: there is no such model, whatever If-Match says", async ({ service }) => {
    const { error } = await service.client.PATCH("/v1/models/{model_id}", {
      params: { path: { model_id: "none" }, header: { "If-Match": "*" } },
      body: { notes: "n" },
    });
    expect(error?.error.code).toBe("model_not_found");
  });

  test("409: an alias that means another model", async ({ service, change }) => {
    await service.registry.models.create({ modelId: "c", sourceType: "local" });
    expect((await change({ alias: "c" })).status).toBe(409);
  });

  test("412: it was changed since, or the ETag is weak", async ({ service, change }) => {
    const etag = (
      await service.client.GET("/v1/models/{model_id}", { params: { path } })
    ).response.headers.get("etag")!;
    expect((await change({ notes: "1" }, { "if-match": `W/${etag}` })).status).toBe(412);
    expect((await change({ notes: "1" }, { "if-match": etag })).status).toBe(200);
    const late = await change({ notes: "2" }, { "if-match": etag });
    expect(late.status).toBe(412);
    expect(await late.json()).toMatchObject({ error: { code: "row_version_mismatch" } });
    expect((await service.registry.models.get("a/b")).notes).toBe("1");
  });

  test("412: it was deleted and registered again, at the same version", async ({ service, change }) => {
    const { response } = await service.client.GET("/v1/models/{model_id}", { params: { path } });
    await service.registry.models.delete("a/b");
    await service.registry.models.create({ modelId: "a/b", sourceType: "remote" });
    expect((await change({ notes: "1" }, { "if-match": response.headers.get("etag")! })).status).toBe(412);
  });

  test("200: of many who change the same version, one succeeds", async ({ service, change }) => {
    const { response } = await service.client.GET("/v1/models/{model_id}", { params: { path } });
    const etag = response.headers.get("etag")!;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => change({ notes: `by ${index}` }, { "if-match": etag })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(19);
  });
});
