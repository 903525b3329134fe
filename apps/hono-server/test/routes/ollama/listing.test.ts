import { describe, expect } from "vitest";

import { checkedFetch } from "../../checked-fetch.ts";
import { psContract, tagsContract } from "../../contracts/ollama.ts";
import { test } from "../../harness.ts";
import { createModelsOfEveryKind, KNOWN_SHA256, MODELS } from "../../models-of-every-kind.ts";

const ZEROS = "0".repeat(64);

describe("/api/tags", () => {
  test("tells of each model what is known, and no more", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    const answer = await checkedFetch(`${service.url}/api/tags`);
    expect(answer.headers.get("content-type")).toBe("application/json");
    const { models } = tagsContract.parse(await answer.json());
    const bare = models.at(-1)!;
    expect(bare).toEqual({
      name: "bare",
      model: "bare",
      modified_at: new Date((await service.registry.models.get("bare")).updatedAt).toISOString(),
      details: {},
    });
    expect(models.find(({ name }) => name === "known")).toEqual({
      name: "known",
      model: "known",
      modified_at: "2025-01-02T03:04:05.006Z",
      size: 4_368_439_584,
      digest: KNOWN_SHA256,
      details: {
        format: "gguf",
        family: "llama",
        families: ["llama"],
        parameter_size: "7.2B",
        quantization_level: "Q4_K_M",
        context_length: 32_768,
      },
      capabilities: ["completion", "tools", "vision"],
    });
    expect(models.find(({ name }) => name === "sharded:70b")).not.toHaveProperty("digest");
  });

  test("has a digest of zeros where none is known for Ollama's own program, which ends without", async ({
    service,
  }) => {
    await createModelsOfEveryKind(service.registry);
    const headers = { "user-agent": "ollama/0.12.3 (amd64 linux) Go/go1.24.1" };
    for (const path of ["/api/tags", "/api/ps"]) {
      const answer = await checkedFetch(service.url + path, { headers });
      const { models } = (await answer.json()) as { models: { name: string; digest: string }[] };
      for (const { name, digest } of models) {
        expect(digest, name).toBe(name === "known" ? KNOWN_SHA256 : ZEROS);
      }
      expect(models.length, path).toBeGreaterThan(0);
    }
  });

  test("names the newest first, and nothing that is only to be downloaded", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    const { models } = tagsContract.parse(await (await checkedFetch(`${service.url}/api/tags`)).json());
    expect(models.map(({ name }) => name)).toEqual([
      "fast",
      "gpt-4o",
      "embed:v1",
      "sharded:70b",
      "known",
      "bare",
    ]);
  });

  test("is a list also where there is nothing", async ({ service }) => {
    expect(await (await checkedFetch(`${service.url}/api/tags`)).json()).toEqual({ models: [] });
    expect(await (await checkedFetch(`${service.url}/api/ps`)).json()).toEqual({ models: [] });
  });

  test("is whole with 2,500 models", async ({ service }) => {
    const models = Array.from({ length: 2500 }, (_, index) => ({
      modelId: `model-${index}`,
      sourceType: "local" as const,
      files: [{ path: `/${index}`, role: "weights" as const, sha256: index.toString(16).padStart(64, "0") }],
    }));
    await service.registry.models.createMany(models);
    const answer = tagsContract.parse(await (await checkedFetch(`${service.url}/api/tags`)).json());
    expect(answer.models).toHaveLength(2500);
    expect(
      answer.models.every(({ name, digest }) => Number.parseInt(digest!, 16) === Number(name.slice(6))),
    ).toBe(true);
  });

  test.for(["/", "/api/tags"])(
    "HEAD %s is answered without a body",
    async (path, { service, expect: check }) => {
      const answer = await checkedFetch(service.url + path, { method: "HEAD" });
      check(answer.status).toBe(200);
      check(await answer.text()).toBe("");
    },
  );
});

describe("/api/ps", () => {
  test("names what runs, the longest lease first, each model once", async ({ service }) => {
    const { runs } = service.registry;
    await createModelsOfEveryKind(service.registry);
    await runs.acquire("known", { holder: "one", ttlMs: 10_000 });
    const longest = await runs.acquire("known", { holder: "another", ttlMs: 90_000, join: true });
    const { models } = psContract.parse(await (await checkedFetch(`${service.url}/api/ps`)).json());
    expect(models.map(({ name }) => name)).toEqual(["known", "fast"]);
    expect(models[0]).toMatchObject({ digest: KNOWN_SHA256, details: { family: "llama" } });
    expect(Math.abs(Date.parse(models[0]!.expires_at) - longest.expiresAt)).toBeLessThan(1000);
  });

  test("forgets what stopped", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    const [run] = await service.registry.runs.list({ name: MODELS.running.modelId });
    await service.registry.runs.release(run!.token);
    expect(await (await checkedFetch(`${service.url}/api/ps`)).json()).toEqual({ models: [] });
  });
});
