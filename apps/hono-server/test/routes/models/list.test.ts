import type { NewModel } from "@cortex/model-db";
import { describe, expect } from "vitest";

import { checkedFetch } from "../../checked-fetch.ts";
import { test } from "../../harness.ts";

const MODELS: readonly NewModel[] = [
  {
    modelId: "a",
    sourceType: "local",
    tags: ["x", "y"],
    sizeBytes: 5e9,
    engine: "llama-cpp",
  },
  {
    modelId: "b",
    sourceType: "huggingface",
    authorRepo: "TheBloke",
    tags: ["x"],
    sizeBytes: 1e9,
    branch: "main",
  },
  { modelId: "c", sourceType: "remote", notes: "an API", format: "gguf", quantization: "Q4_K_M" },
];

describe("GET /v1/models", () => {
  test.for([
    ["", "cba"],
    ["source_type=local&source_type=remote", "ca"],
    ["status=ready", "cba"],
    ["status=1", ""],
    ["author_repo=TheBloke", "b"],
    ["branch=main", "b"],
    ["branch=", "ca"],
    ["availability=remote", "c"],
    ["engine=llama-cpp", "a"],
    ["format=gguf", "c"],
    ["architecture=", "cba"],
    ["quantization=Q4_K_M", "c"],
    ["owner=", "cba"],
    ["private=true", ""],
    ["tag=x&tag=y", "a"],
    ["any_tag=y&any_tag=x", "ba"],
    ["without_tag=y", "cb"],
    ["filter=size_bytes>4GB", "a"],
    ["filter=size_bytes%3E500MB&filter=size_bytes<4GB", "b"],
    ["search=api", "c"],
    ["sort=size_bytes", "bac"],
    ["sort=size_bytes:desc", "abc"],
    ["sort=model_id&limit=1", "a"],
  ] as const)("200: ?%s lists %s", async ([query, ids], { service }) => {
    await service.registry.models.createMany(MODELS);
    const answer = await checkedFetch(`${service.url}/v1/models?${query}`);
    const page = (await answer.json()) as { data: { id: string }[] };
    expect(page.data.map(({ id }) => id).join("")).toBe(ids);
  });

  test("200: pages lead to each other, by the cursor and by the link", async ({ service }) => {
    await service.registry.models.createMany(MODELS);
    const first = await service.client.GET("/v1/models", {
      params: { query: { sort: "model_id", limit: 2, total: true, tag: [] } },
    });
    expect(first.data).toMatchObject({ object: "list", total: 3 });
    const link = /^<(.+)>; rel="next"$/.exec(first.response.headers.get("link")!)![1]!;
    const last = await checkedFetch(service.url + link);
    expect(last.headers.get("link")).toBeNull();
    expect(await last.json()).toMatchObject({ data: [{ id: "c" }], next_cursor: null, total: 3 });
    const again = await service.client.GET("/v1/models", {
      params: { query: { sort: "model_id", limit: 2, cursor: first.data!.next_cursor! } },
    });
    expect(again.data?.data.map(({ id }) => id)).toEqual(["c"]);
  });

  test("200: only the fields that are asked for", async ({ service }) => {
    await service.registry.models.createMany(MODELS.slice(0, 1));
    const { data } = await service.client.GET("/v1/models", {
      params: { query: { fields: "alias,size_bytes" } },
    });
    expect(data?.data).toEqual([{ id: "a", object: "model", alias: "a", size_bytes: 5e9 }]);
  });

  test("304: no model that the caller sees has changed", async ({ service }) => {
    await service.registry.models.createMany(MODELS);
    const etag = (await checkedFetch(`${service.url}/v1/models`)).headers.get("etag")!;
    const ask = async (): Promise<number> =>
      (await checkedFetch(`${service.url}/v1/models`, { headers: { "if-none-match": etag } })).status;
    expect(await ask()).toBe(304);
    await service.registry.models.update("a", { notes: "changed" });
    expect(await ask()).toBe(200);
  });

  test("200: an empty registry has an empty list", async ({ service }) => {
    const { data } = await service.client.GET("/v1/models");
    expect(data).toEqual({ object: "list", data: [], next_cursor: null });
  });

  test.for([
    ["limit=-2", "limit"],
    ["limit=0", "limit"],
    ["limit=1001", "limit"],
    ["limit=1e2", "limit"],
    ["limit=99999999999999999999", "limit"],
    ["limit=1&limit=2", "limit"],
    ["cursor=forged", "cursor"],
    ["cursor=", "cursor"],
    ["sort=secret", "sort"],
    ["filter=size_bytes", "filter"],
    ["filter=size_bytes>big", "filter"],
    ["fields=secret", "fields"],
    ["fields=", "fields"],
    ["total=maybe", "total"],
    ["source_type=elsewhere", "source_type"],
    ["colour=red", "colour"],
    ["__proto__=1", "__proto__"],
  ] as const)("400: ?%s names %s", async ([query, name], { service }) => {
    await service.registry.models.createMany(MODELS);
    const answer = await checkedFetch(`${service.url}/v1/models?${query}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: { code: "invalid_input", message: expect.stringContaining(name) as string },
    });
  });

  test("204: OPTIONS tells what there is", async ({ service }) => {
    const answer = await fetch(`${service.url}/v1/models`, { method: "OPTIONS" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([204, "GET, POST, HEAD, OPTIONS"]);
  });

  test("405: a method that it does not know is told which it does", async ({ service }) => {
    const answer = await fetch(`${service.url}/v1/models`, { method: "PUT" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, POST, HEAD, OPTIONS"]);
    expect(await answer.json()).toMatchObject({ error: { code: "method_not_allowed" } });
    const one = await fetch(`${service.url}/v1/models/a%2Fb/c`, { method: "PUT" });
    expect(one.headers.get("allow")).toBe("GET, PATCH, DELETE, HEAD, OPTIONS");
    expect((await fetch(`${service.url}/v2`, { method: "PUT" })).status).toBe(404);
  });
});
