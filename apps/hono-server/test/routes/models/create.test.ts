import { describe, expect } from "vitest";

import { checkedFetch } from "../../checked-fetch.ts";
import { test } from "../../harness.ts";

const MODEL = { model_id: "hf.co/a:b", source_type: "huggingface" } as const;

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
