import LLM from "@themaximalist/llm.js";
import { describe, expect } from "vitest";

import { test } from "../harness.ts";
import { createModelsOfEveryKind } from "../models-of-every-kind.ts";

describe("the npm client @themaximalist/llm.js", () => {
  test("knows the server for Ollama, and reads every model", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    const client = new LLM.Ollama("", { baseUrl: service.url });
    expect(await client.verifyConnection()).toBe(true);
    const models = await client.getModels();
    expect(models.find(({ model }) => model === "known")).toMatchObject({
      max_tokens: 32_768,
      supports_function_calling: true,
      supports_vision: true,
      created: new Date("2025-01-02T03:04:05.006Z"),
    });
    expect(models).toHaveLength(6);
  });
});
