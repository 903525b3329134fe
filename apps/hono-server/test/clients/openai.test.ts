import OpenAI, { BadRequestError, NotFoundError } from "openai";
import { describe, expect } from "vitest";
import { z } from "zod";

import { checkedFetch } from "../checked-fetch.ts";
import { test } from "../harness.ts";
import { createModelsOfEveryKind, MODELS } from "../models-of-every-kind.ts";

const modelContract = z.object({
  id: z.string().min(1),
  object: z.literal("model"),
  created: z.int().nonnegative(),
  owned_by: z.string(),
});
const errorContract = z.object({
  message: z.string().min(1),
  type: z.string().min(1),
  param: z.string().nullable(),
  code: z.string().nullable(),
});

function clientOf(url: string): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0, fetch: checkedFetch });
}

describe("the npm client openai", () => {
  test("lists models, and retrieves each by what the list calls it", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    const client = clientOf(service.url);
    const listed = [];
    for await (const model of client.models.list()) listed.push(modelContract.parse(model));
    expect(listed.map(({ id }) => id).toSorted()).toEqual(
      Object.values(MODELS)
        .map(({ modelId }) => modelId)
        .toSorted(),
    );
    for (const { id, created } of listed) {
      expect(await client.models.retrieve(id)).toMatchObject({ id, object: "model", created });
    }
    expect(await client.models.retrieve("best")).toMatchObject({
      id: MODELS.known.modelId,
      owned_by: "TheBloke",
    });
  });

  test("lists 1,000 models at once, as does a client of the old program that asks for all", async ({
    service,
  }) => {
    const models = Array.from({ length: 1000 }, (_, index) => ({
      modelId: `model-${index}`,
      sourceType: "local" as const,
    }));
    await service.registry.models.createMany(models);
    expect((await clientOf(service.url).models.list()).data).toHaveLength(1000);
    const old = await checkedFetch(`${service.url}/v1/models?limit=-1`);
    expect(((await old.json()) as { data: unknown[] }).data).toHaveLength(1000);
  });

  test("finds an empty list in an empty registry", async ({ service }) => {
    expect((await clientOf(service.url).models.list()).data).toEqual([]);
  });

  test("knows what went wrong", async ({ service }) => {
    const missing = await clientOf(service.url)
      .models.retrieve("none")
      .catch((error: unknown) => error);
    expect(missing).toBeInstanceOf(NotFoundError);
    expect(errorContract.parse((missing as NotFoundError).error)).toMatchObject({
      type: "invalid_request_error",
      code: "model_not_found",
    });
    expect(missing).toMatchObject({ status: 404, code: "model_not_found", type: "invalid_request_error" });
    const wrong = await clientOf(service.url)
      .models.list({ query: { cursor: "forged" } })
      .then(undefined, (error: unknown) => error);
    expect(wrong).toBeInstanceOf(BadRequestError);
    expect(wrong).toMatchObject({ code: "invalid_input", param: "cursor" });
  });

  test("is told that this service runs no model", async ({ service }) => {
    const messages = [{ role: "user" as const, content: "Hello" }];
    const asked = clientOf(service.url).chat.completions.create({ model: "best", messages });
    await expect(asked).rejects.toMatchObject({ status: 404, message: expect.stringContaining("runs none") });
  });
});
