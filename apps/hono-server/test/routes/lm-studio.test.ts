import { describe, expect } from "vitest";

import { checkedFetch } from "../checked-fetch.ts";
import { v0ListContract, v0ModelContract, v1ListContract } from "../contracts/lm-studio.ts";
import { test } from "../harness.ts";
import { createModelsOfEveryKind, MODELS } from "../models-of-every-kind.ts";

describe("/api/v0/models", () => {
  test("tells of each model what is known, and no more", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    const { data } = v0ListContract.parse(await (await checkedFetch(`${service.url}/api/v0/models`)).json());
    expect(Object.fromEntries(data.map((model) => [model.id, model]))).toEqual({
      bare: { id: "bare", object: "model", state: "not-loaded" },
      known: {
        id: "known",
        object: "model",
        type: "vlm",
        publisher: "TheBloke",
        arch: "llama",
        compatibility_type: "gguf",
        quantization: "Q4_K_M",
        state: "not-loaded",
        max_context_length: 32_768,
      },
      "sharded:70b": { id: "sharded:70b", object: "model", state: "not-loaded" },
      "embed:v1": {
        id: "embed:v1",
        object: "model",
        type: "embeddings",
        compatibility_type: "mlx",
        state: "not-loaded",
        max_context_length: 2048,
      },
      "gpt-4o": { id: "gpt-4o", object: "model", state: "not-loaded" },
      fast: { id: "fast", object: "model", state: "loaded", max_context_length: 4096 },
    });
  });

  test("has each model that it lists, also by its id", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    const { data } = v0ListContract.parse(await (await checkedFetch(`${service.url}/api/v0/models`)).json());
    for (const model of data) {
      const answer = await checkedFetch(`${service.url}/api/v0/models/${encodeURIComponent(model.id)}`);
      expect(v0ModelContract.parse(await answer.json())).toEqual(model);
    }
    const byId = await checkedFetch(`${service.url}/api/v0/models/${MODELS.known.modelId}`);
    expect(await byId.json()).toMatchObject({ id: "known" });
  });

  test("without the model is a 404 in OpenAI's words", async ({ service }) => {
    const answer = await checkedFetch(`${service.url}/api/v0/models/none`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({
      error: { code: "model_not_found", type: "invalid_request_error", param: null },
    });
  });
});

describe("/api/v1/models", () => {
  test("tells of each model what is known, and who runs it", async ({ service }) => {
    const { runs } = service.registry;
    await createModelsOfEveryKind(service.registry);
    await runs.acquire("fast", { holder: "another", join: true });
    const tokens = (await runs.list()).map(({ token }) => String(token));
    const { models } = v1ListContract.parse(
      await (await checkedFetch(`${service.url}/api/v1/models`)).json(),
    );
    const byKey = new Map(models.map((model) => [model.key, model]));
    expect([...byKey.keys()]).toEqual(["fast", "gpt-4o", "embed:v1", "sharded:70b", "known", "bare"]);
    expect(byKey.get("bare")).toEqual({
      key: "bare",
      display_name: "bare",
      architecture: null,
      quantization: null,
      params_string: null,
      loaded_instances: [],
      format: null,
    });
    expect(byKey.get("known")).toEqual({
      type: "llm",
      publisher: "TheBloke",
      key: "known",
      display_name: "known",
      architecture: "llama",
      quantization: { name: "Q4_K_M", bits_per_weight: null },
      size_bytes: 4_368_439_584,
      params_string: "7.2B",
      loaded_instances: [],
      max_context_length: 32_768,
      format: "gguf",
      capabilities: { vision: true, trained_for_tool_use: true },
    });
    expect(byKey.get("embed:v1")).toMatchObject({ type: "embedding", params_string: "137M" });
    expect(byKey.get("fast")!.loaded_instances.map(({ id }) => id)).toEqual(tokens);
  });
});
