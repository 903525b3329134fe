import { describe, expect } from "vitest";

import { checkedFetch } from "../../checked-fetch.ts";
import { failureContract } from "../../contracts/cortex.ts";
import { test } from "../../harness.ts";
import { createModelsOfEveryKind, MODELS } from "../../models-of-every-kind.ts";

const DAY_MS = 24 * 3600 * 1000;

async function post(url: string, body?: unknown): Promise<Response> {
  return checkedFetch(url, {
    method: "POST",
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
}

describe.for(["", "/v1"])("under %s/models", (prefix) => {
  test("a model is started, is running, and is stopped", async ({ service }) => {
    const url = `${service.url}${prefix}/models`;
    await createModelsOfEveryKind(service.registry);
    const status = `${url}/status/${MODELS.known.modelId}`;
    expect((await checkedFetch(status)).status).toBe(400);
    const started = await post(`${url}/start`, { model: "known", ctx_len: 4096 });
    expect([started.status, await started.json()]).toEqual([200, { message: "Started successfully!" }]);
    const running = await checkedFetch(status);
    expect([running.status, await running.json()]).toEqual([200, { message: "Model is running" }]);
    const stopped = await post(`${url}/stop`, { model: "best" });
    expect([stopped.status, await stopped.json()]).toEqual([200, { message: "Stopped successfully!" }]);
    expect((await service.registry.models.resolve("known")).status).toBe(0);
    const idle = await checkedFetch(status);
    expect(idle.status).toBe(400);
    expect(failureContract.parse(await idle.json()).message).toContain("is not running");
  });

  test("a model behind an API is added, once", async ({ service }) => {
    const url = `${service.url}${prefix}/models`;
    const body = {
      model: "gpt-4o",
      engine: "openai",
      owned_by: "openai",
      inference_params: { temperature: 1 },
    };
    const added = await post(`${url}/add`, { ...body, header_template: "Authorization: secret" });
    expect([added.status, await added.json()]).toEqual([
      200,
      { result: "OK", modelHandle: "gpt-4o", message: "Model is imported successfully!" },
    ]);
    expect(await service.registry.models.get("gpt-4o")).toMatchObject({
      sourceType: "remote",
      availability: "remote",
      engine: "openai",
      authorRepo: "openai",
      metadata: { model_yml: { inference_params: { temperature: 1 } } },
    });
    expect(await (await checkedFetch(`${service.url}/models/gpt-4o`)).json()).toMatchObject(body);
    expect((await post(`${url}/add`, body)).status).toBe(409);
  });

  test.for([
    { path: "start", body: {}, field: "model" },
    { path: "start", body: { model: null }, field: "model" },
    { path: "start", body: undefined, field: "model" },
    { path: "stop", body: {}, field: "model" },
    { path: "add", body: { model: "x" }, field: "engine" },
    { path: "add", body: { engine: "x" }, field: "model" },
  ])("$path with $body misses $field", async ({ path, body, field }, { service, expect: check }) => {
    const answer = await post(`${service.url}${prefix}/models/${path}`, body);
    check(answer.status).toBe(409);
    check(failureContract.parse(await answer.json()).message).toBe(`No ${field} field in request body`);
  });

  test.for([
    { method: "POST", path: "start", status: 404 },
    { method: "POST", path: "stop", status: 404 },
    { method: "GET", path: "status/none", status: 404 },
    // Of a service that fetches nothing.
    { method: "POST", path: "pull", status: 403 },
    { method: "POST", path: "import", status: 409 },
    { method: "POST", path: "sources", status: 405 },
  ])(
    "$method $path of none is a $status with a message",
    async ({ method, path, status }, { service, expect: check }) => {
      const url = `${service.url}${prefix}/models/${path}`;
      const answer = method === "GET" ? await checkedFetch(url) : await post(url, { model: "none" });
      check(answer.status).toBe(status);
      failureContract.parse(await answer.json());
    },
  );
});

describe("the lease of start", () => {
  test("is for a day, and begun anew by another start", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    await post(`${service.url}/v1/models/start`, { model: "known" });
    const [first] = await service.registry.runs.list({ name: "known" });
    expect(first).toMatchObject({ holder: "http", pid: null, ttlMs: DAY_MS });
    await post(`${service.url}/v1/models/start`, { model: "known" });
    const leases = await service.registry.runs.list({ name: "known" });
    expect(leases.map(({ token }) => token)).toEqual([first!.token]);
    expect(leases[0]!.expiresAt).toBeGreaterThan(first!.expiresAt);
  });

  test("is given back also where the machine had another name then, as a container made anew", async ({
    service,
  }) => {
    await createModelsOfEveryKind(service.registry);
    await post(`${service.url}/v1/models/start`, { model: "known" });
    await service.registry.runs.acquire("known", { holder: "http", pid: null, node: "before", join: true });
    expect((await post(`${service.url}/v1/models/stop`, { model: "known" })).status).toBe(200);
    expect(await service.registry.runs.list({ name: "known" })).toEqual([]);
  });

  test("leaves those of others alone", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    expect((await post(`${service.url}/v1/models/stop`, { model: "fast" })).status).toBe(409);
    expect((await post(`${service.url}/v1/models/start`, { model: "fast" })).status).toBe(200);
    expect((await post(`${service.url}/v1/models/stop`, { model: "fast" })).status).toBe(200);
    expect(await service.registry.runs.list({ name: "fast" })).toMatchObject([{ holder: "an engine" }]);
  });
});
