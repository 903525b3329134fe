import type { JsonObject } from "@cortex/model-db";
import { z } from "zod";

import { requireField } from "../../schemas/cortex.ts";
import { withAndWithoutPrefix } from "./with-and-without-prefix.ts";

const anything = z.unknown().meta({ description: "Any JSON" });

export const addRemoteModel = withAndWithoutPrefix({
  method: "post",
  path: "/models/add",
  operationId: "addRemoteModel",
  summary: "Registers a model behind an API",
  description: "Templates of headers are not kept: they can hold keys.",
  tag: "cortex",
  request: {
    body: z
      .object({
        model: z.string().nullish(),
        engine: z.string().nullish(),
        owned_by: z.string().nullish(),
        version: anything.optional(),
        inference_params: anything.optional(),
      })
      .optional(),
  },
  responses: {
    200: {
      description: "It is there",
      schema: z.object({ result: z.literal("OK"), modelHandle: z.string(), message: z.string() }),
      example: { result: "OK", modelHandle: "gpt-4o", message: "Model is imported successfully!" },
    },
  },
  errors: ["missing_field", "name_taken"],
  handle: async (c, { body }) => {
    const modelId = requireField(body?.model, "model");
    const engine = requireField(body?.engine, "engine");
    const { owned_by, version, inference_params } = body!;
    const yml = {
      ...(version === undefined ? {} : { version }),
      ...(inference_params === undefined ? {} : { inference_params }),
    } as JsonObject;
    await c.get("caller").models.create({
      modelId,
      sourceType: "remote",
      alias: null,
      engine,
      authorRepo: owned_by,
      ...(Object.keys(yml).length === 0 ? {} : { metadata: { model_yml: yml } }),
    });
    return c.json({ result: "OK", modelHandle: modelId, message: "Model is imported successfully!" });
  },
});
