import { describe, expect } from "vitest";

import { checkedFetch } from "../../checked-fetch.ts";
import { test } from "../../harness.ts";

const MODEL = { model_id: "hf.co/a:b", source_type: "huggingface" } as const;

const withKey = async (url: string, key: string, body: object): Promise<Response> =>
  checkedFetch(`${url}/v1/models`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify(body),
  });

describe("POST /v1/models", () => {
  test("201: it is stored, and where it is and its ETag are told", async ({ service }) => {
    const { data, response } = await service.client.POST("/v1/models", {
      body: {
        ...MODEL,
        tags: ["chat"],
        metadata: { a: { b: 1 } },
        files: [{ path: "/m/a.gguf", role: "weights", size_bytes: 7 }],
      },
    });
    expect(response.status).toBe(201);
    expect(data).toMatchObject({
      ...MODEL,
      tags: ["chat"],
      metadata: { a: { b: 1 } },
      availability: "present",
    });
    const there = await checkedFetch(service.url + response.headers.get("location")!);
    expect(await there.json()).toEqual(data);
    expect(there.headers.get("etag")).toBe(response.headers.get("etag"));
    expect(await service.registry.files.list(MODEL.model_id)).toMatchObject([{ sizeBytes: 7 }]);
  });

  test("201: without a body where the client prefers none", async ({ service }) => {
    const answer = await fetch(`${service.url}/v1/models`, {
      method: "POST",
      headers: { "content-type": "application/json", prefer: "respond-async, return=minimal" },
      body: JSON.stringify(MODEL),
    });
    expect([answer.status, answer.headers.get("preference-applied")]).toEqual([201, "return=minimal"]);
    expect(answer.headers.get("location")).toBe("/v1/models/hf.co%2Fa%3Ab");
    expect(await answer.text()).toBe("");
  });

  test.for([
    [{ source_type: "local" }, "model_id"],
    [{ model_id: "a" }, "source_type"],
    [{ ...MODEL, model_id: 7 }, "model_id"],
    [{ ...MODEL, model_id: "" }, "model_id"],
    [{ ...MODEL, source_type: "elsewhere" }, "source_type"],
    [{ ...MODEL, size_bytes: -1 }, "size_bytes"],
    [{ ...MODEL, status: 1 }, "status"],
    [{ ...MODEL, row_version: 3 }, "row_version"],
    [{ ...MODEL, tags: "chat" }, "tags"],
    [{ ...MODEL, files: [{ path: "x" }] }, "role"],
    [[MODEL], "body"],
    ["text", "body"],
  ] as const)("400: %j names %s", async ([body, name], { service }) => {
    const answer = await checkedFetch(`${service.url}/v1/models`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(400);
    const { error } = (await answer.json()) as { error: { message: string } };
    expect(error.message).toContain(name);
    expect(await service.registry.models.count()).toBe(0);
  });

  test("409: a name that means another model", async ({ service }) => {
    await service.registry.models.create({ modelId: "other", sourceType: "local", alias: MODEL.model_id });
    const { error, response } = await service.client.POST("/v1/models", { body: MODEL });
    expect([response.status, error?.error.code]).toEqual([409, "name_taken"]);
  });

  test("201: asked again with its key, it is answered again and not done again", async ({ service }) => {
    const first = await withKey(service.url, '"k"', MODEL);
    await service.registry.models.update(MODEL.model_id, { notes: "since" });
    const again = await withKey(service.url, "k", MODEL);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(await again.text()).toBe(await first.text());
    expect(again.headers.get("etag")).toBe(first.headers.get("etag"));
    expect(again.headers.get("location")).toBe(first.headers.get("location"));
    expect([first, again].map(({ headers }) => headers.get("idempotent-replayed"))).toEqual([null, "true"]);
  });

  test("201: what was refused may be asked again with the same key", async ({ service }) => {
    await service.registry.models.create({ modelId: "other", sourceType: "local", alias: MODEL.model_id });
    expect((await withKey(service.url, "k", MODEL)).status).toBe(409);
    await service.registry.models.delete("other");
    expect((await withKey(service.url, "k", MODEL)).status).toBe(201);
  });

  test("409: while a request with the same key is under way", async ({ service }) => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => withKey(service.url, "k", MODEL)));
    for (const answer of answers) expect([201, 409]).toContain(answer.status);
    expect((await service.registry.history.list()).items).toHaveLength(1);
  });

  test("422: another body with the same key", async ({ service }) => {
    await withKey(service.url, "k", MODEL);
    const other = await withKey(service.url, "k", { ...MODEL, model_id: "b" });
    expect([other.status, await other.json()]).toMatchObject([
      422,
      { error: { code: "idempotency_key_reused" } },
    ]);
    expect(await service.registry.models.count()).toBe(1);
  });

  test.for(["", " ", "a b", "x".repeat(256)])("400: the key %j", async (key, { service }) => {
    expect((await withKey(service.url, key, MODEL)).status).toBe(400);
  });

  test("412: If-None-Match: * where it is there already", async ({ service }) => {
    const create = async (): Promise<number> =>
      (
        await service.client.POST("/v1/models", {
          params: { header: { "If-None-Match": "*" } },
          body: MODEL,
        })
      ).response.status;
    expect([await create(), await create()]).toEqual([201, 412]);
  });
});
