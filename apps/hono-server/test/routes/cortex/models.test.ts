import { describe, expect } from "vitest";

import { checkedFetch } from "../../checked-fetch.ts";
import { failureContract, listContract, localContract, remoteContract } from "../../contracts/cortex.ts";
import { test } from "../../harness.ts";
import { createModelsOfEveryKind, MODELS } from "../../models-of-every-kind.ts";

describe("GET /models", () => {
  test("is the old list, with what is known of each model", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    const answer = await checkedFetch(`${service.url}/models?limit=-1`);
    const { data } = listContract.parse(await answer.json());
    const byId = new Map(data.map((model) => [model.id, model]));
    expect([...byId.keys()].toSorted()).toEqual(
      Object.values(MODELS)
        .map(({ modelId }) => modelId)
        .toSorted(),
    );
    expect(byId.get("bare")).toEqual({ id: "bare", model: "bare" });
    const { modelId } = MODELS.known;
    expect(byId.get(modelId)).toEqual({
      id: modelId,
      model: modelId,
      status: "downloaded",
      engine: "llama-cpp",
      ctx_len: 32_768,
      size: 4_368_439_584,
    });
    expect(byId.get("cortexso:later:7b")).toEqual({
      id: "cortexso:later:7b",
      model: "cortexso:later:7b",
      modelSource: "https://example.org/cortexso/later",
      status: "downloadable",
      engine: "llama-cpp",
      metadata: { size: 7 },
    });
    expect(byId.get("gpt-4o")).toMatchObject({ engine: "openai", object: "model" });
  });

  test("shows what model.yml said of a model that was brought over", async ({ service }) => {
    await service.registry.models.create({
      modelId: "old",
      sourceType: "local",
      contextLength: 8192,
      engine: "llama-cpp",
      metadata: { model_yml: { id: "other", name: "Old", ctx_len: 4096, ngl: 33, stop: ["</s>"] } },
    });
    const { data } = listContract.parse(await (await checkedFetch(`${service.url}/models`)).json());
    expect(data).toEqual([
      { id: "old", model: "old", name: "Old", ctx_len: 8192, ngl: 33, stop: ["</s>"], engine: "llama-cpp" },
    ]);
  });
});

describe("/models/{id}", () => {
  test("is one model, a remote one in its own shape", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    const known = await checkedFetch(`${service.url}/models/${MODELS.known.modelId}`);
    expect(localContract.parse(await known.json())).toMatchObject({
      id: MODELS.known.modelId,
      ctx_len: 32_768,
    });
    const remote = await checkedFetch(`${service.url}/models/gpt-4o`);
    expect(remoteContract.parse(await remote.json())).toMatchObject({ model: "gpt-4o", engine: "openai" });
  });

  test("can be deleted", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    const answer = await checkedFetch(`${service.url}/models/known`, { method: "DELETE" });
    expect([answer.status, await answer.json()]).toEqual([200, { message: "Deleted successfully!" }]);
    expect(await service.registry.models.findByName("known")).toBeUndefined();
  });

  test.for([
    { method: "GET", path: "/models/none", status: 404 },
    { method: "DELETE", path: "/models/none", status: 404 },
    { method: "DELETE", path: "/models/fast", status: 409 },
    { method: "GET", path: "/v1/models/none", status: 404 },
  ])(
    "$method $path fails with a message: $status",
    async ({ method, path, status }, { service, expect: check }) => {
      await createModelsOfEveryKind(service.registry);
      const answer = await checkedFetch(service.url + path, { method });
      check(answer.status).toBe(status);
      failureContract.parse(await answer.json());
    },
  );
});
