import { describe, expect } from "vitest";

import { checkedFetch } from "../../checked-fetch.ts";
import { errorContract, showContract } from "../../contracts/ollama.ts";
import { test } from "../../harness.ts";
import { createModelsOfEveryKind, MODELS } from "../../models-of-every-kind.ts";

async function post(url: string, body: unknown, method = "POST"): Promise<Response> {
  return checkedFetch(url, {
    method,
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });
}

describe("/api/show", () => {
  test.for(Object.values(MODELS).map(({ modelId }) => modelId))(
    "is as clients expect it for %s",
    async (model, { service, expect: check }) => {
      await createModelsOfEveryKind(service.registry);
      const answer = await post(`${service.url}/api/show`, { model, verbose: true });
      check(answer.status).toBe(200);
      showContract.parse(await answer.json());
    },
  );

  test.for([
    { is: "llama3", asked: "llama3:latest", status: 200 },
    { is: "llama3:latest", asked: "llama3", status: 200 },
    { is: "org/llama3:latest", asked: "org/llama3", status: 200 },
    { is: "llama3:latest", asked: "llama3:8b", status: 404 },
    { is: "llama3:8b:latest", asked: "llama3:8b", status: 404 },
    { is: "llama3:8b", asked: "llama3", status: 404 },
  ])("$is asked for as $asked is $status", async ({ is, asked, status }, { service, expect: check }) => {
    await service.registry.models.create({ modelId: is, sourceType: "local" });
    check((await post(`${service.url}/api/show`, { model: asked })).status).toBe(status);
  });

  test("tells what is known, by the keys of GGUF", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    const known = await post(`${service.url}/api/show`, { name: "best:latest" });
    expect(showContract.parse(await known.json())).toEqual({
      details: {
        format: "gguf",
        family: "llama",
        families: ["llama"],
        parameter_size: "7.2B",
        quantization_level: "Q4_K_M",
        context_length: 32_768,
      },
      model_info: {
        "general.architecture": "llama",
        "general.parameter_count": 7_241_732_096,
        "llama.context_length": 32_768,
      },
      capabilities: ["completion", "tools", "vision"],
      modified_at: "2025-01-02T03:04:05.006Z",
    });
    const bare = await post(`${service.url}/api/show`, { model: "bare" });
    expect(await bare.json()).toMatchObject({ details: {}, model_info: { "general.architecture": "" } });
  });
});

describe("/api/copy", () => {
  test("makes a model that stays when the source goes", async ({ service }) => {
    const { models, files } = service.registry;
    await createModelsOfEveryKind(service.registry);
    const source = await models.resolve("known");
    const filesOfSource = await files.list("known");
    const copied = await post(`${service.url}/api/copy`, { source: "known", destination: "My/Copy:v1" });
    expect([copied.status, await copied.text()]).toEqual([200, ""]);
    await post(`${service.url}/api/delete`, { model: "known" }, "DELETE");
    const copy = await models.get("My/Copy:v1");
    expect(copy).toMatchObject({
      sourceType: source.sourceType,
      sizeBytes: source.sizeBytes,
      tags: source.tags,
      alias: null,
      aliases: [],
      status: 0,
      rowVersion: 1,
    });
    expect(await files.list("My/Copy:v1")).toEqual(filesOfSource);
    expect(await models.findByName("best")).toBeUndefined();
  });

  test("to a name of another model is refused, to its own done already", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    const taken = await post(`${service.url}/api/copy`, { source: "known", destination: "bare" });
    expect(taken.status).toBe(409);
    errorContract.parse(await taken.json());
    expect((await post(`${service.url}/api/copy`, { source: "known", destination: "best" })).status).toBe(
      200,
    );
    expect(await service.registry.models.count()).toBe(Object.keys(MODELS).length);
  });
});

describe("/api/delete", () => {
  test("answers without a body, and the model is gone", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    const answer = await post(`${service.url}/api/delete`, { name: "known" }, "DELETE");
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
    expect(await service.registry.models.findByName("known")).toBeUndefined();
  });

  test("of what runs is refused", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    const answer = await post(`${service.url}/api/delete`, { model: "fast" }, "DELETE");
    expect(answer.status).toBe(409);
    expect(errorContract.parse(await answer.json()).error).toContain("is running");
  });
});

describe("a failure is a text", () => {
  test.for([
    {
      path: "/api/show",
      method: "POST",
      body: { model: "none" },
      status: 404,
      error: "model 'none' not found",
    },
    {
      path: "/api/delete",
      method: "DELETE",
      body: { name: "none" },
      status: 404,
      error: "model 'none' not found",
    },
    {
      path: "/api/copy",
      method: "POST",
      body: { source: "none", destination: "x" },
      status: 404,
      error: "model 'none' not found",
    },
    { path: "/api/show", method: "POST", body: {}, status: 400, error: "model is required" },
    { path: "/api/copy", method: "POST", body: {}, status: 400, error: "source" },
    {
      path: "/api/delete",
      method: "DELETE",
      body: { model: "\u0000" },
      status: 400,
      error: "control character",
    },
    { path: "/api/pull", method: "POST", body: { model: "x" }, status: 400, error: "Ollama's own library" },
    { path: "/api/push", method: "POST", body: { model: "x" }, status: 404, error: "nothing at /api/push" },
  ])(
    "$method $path with $body: $status",
    async ({ path, method, body, status, error }, { service, expect: check }) => {
      const answer = await post(service.url + path, body, method);
      check(answer.status).toBe(status);
      check(errorContract.parse(await answer.json()).error).toContain(error);
    },
  );

  test("a body need not say that it is JSON", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
      const headers = { "content-type": type };
      const body = JSON.stringify({ model: "known" });
      expect((await checkedFetch(`${service.url}/api/show`, { method: "POST", headers, body })).status).toBe(
        200,
      );
    }
  });

  test("also without a body", async ({ service }) => {
    const answer = await checkedFetch(`${service.url}/api/show`, { method: "POST" });
    expect(answer.status).toBe(400);
    errorContract.parse(await answer.json());
  });
});
