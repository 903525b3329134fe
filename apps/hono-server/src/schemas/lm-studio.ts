import type { Model, Run } from "@cortex/model-db";
import { z } from "zod";

import { toParameterSize } from "./parameter-size.ts";
import { shortNameOf } from "./short-name.ts";

const FORMATS = ["gguf", "mlx"] as const;

/** One model of `/api/v0/models`. What is not known is absent. */
export const lmStudioModelSchema = z
  .object({
    id: z.string().meta({ description: "What the model is called: its alias, else its id" }),
    object: z.literal("model"),
    type: z.enum(["llm", "vlm", "embeddings"]).optional(),
    publisher: z.string().optional(),
    arch: z.string().optional(),
    compatibility_type: z.enum(FORMATS).optional(),
    quantization: z.string().optional(),
    state: z.enum(["loaded", "not-loaded"]).meta({ description: "Loaded while a lease on it holds" }),
    max_context_length: z.int().optional(),
  })
  .meta({ id: "LmStudioModel" });

/** One model of `/api/v1/models`. What is not known is `null` where LM Studio has that, else absent. */
export const lmStudioModelV1Schema = z
  .object({
    type: z.enum(["llm", "embedding"]).optional(),
    publisher: z.string().optional(),
    key: z.string().meta({ description: "What the model is called: its alias, else its id" }),
    display_name: z.string(),
    architecture: z.string().nullable(),
    quantization: z.object({ name: z.string(), bits_per_weight: z.null() }).nullable(),
    size_bytes: z.int().optional(),
    params_string: z.string().nullable(),
    loaded_instances: z
      .array(z.object({ id: z.string(), config: z.object({}) }))
      .meta({ description: "The leases on it that hold, by their tokens" }),
    max_context_length: z.int().optional(),
    format: z.enum(FORMATS).nullable(),
    capabilities: z.object({ vision: z.boolean(), trained_for_tool_use: z.boolean() }).optional(),
  })
  .meta({ id: "LmStudioModelV1" });

/** A model of `/api/v0/models`. */
export function toLmStudioModel(model: Model): z.input<typeof lmStudioModelSchema> {
  const { capabilities, authorRepo, architecture, quantization, status, contextLength } = model;
  const type = typeOf(capabilities);
  const format = formatOf(model);
  return {
    id: shortNameOf(model),
    object: "model",
    ...(type === undefined ? {} : { type }),
    ...(authorRepo === null ? {} : { publisher: authorRepo }),
    ...(architecture === null ? {} : { arch: architecture }),
    ...(format === null ? {} : { compatibility_type: format }),
    ...(quantization === null ? {} : { quantization }),
    state: status === 0 ? "not-loaded" : "loaded",
    ...(contextLength === null ? {} : { max_context_length: contextLength }),
  };
}

/**
 * A model of `/api/v1/models`.
 *
 * @param runs the leases on it that hold.
 */
export function toLmStudioModelV1(model: Model, runs: readonly Run[]): z.input<typeof lmStudioModelV1Schema> {
  const { capabilities, authorRepo, architecture, quantization, sizeBytes, parameterCount, contextLength } =
    model;
  const type = typeOf(capabilities);
  return {
    ...(type === undefined ? {} : { type: type === "embeddings" ? "embedding" : "llm" }),
    ...(authorRepo === null ? {} : { publisher: authorRepo }),
    key: shortNameOf(model),
    display_name: shortNameOf(model),
    architecture,
    quantization: quantization === null ? null : { name: quantization, bits_per_weight: null },
    ...(sizeBytes === null ? {} : { size_bytes: sizeBytes }),
    params_string: parameterCount === null ? null : toParameterSize(parameterCount),
    loaded_instances: runs.map(({ token }) => ({ id: String(token), config: {} })),
    ...(contextLength === null ? {} : { max_context_length: contextLength }),
    format: formatOf(model),
    ...(capabilities.length === 0
      ? {}
      : {
          capabilities: {
            vision: capabilities.includes("vision"),
            trained_for_tool_use: capabilities.includes("tools"),
          },
        }),
  };
}

function typeOf(capabilities: readonly string[]): "llm" | "vlm" | "embeddings" | undefined {
  if (capabilities.includes("embedding")) return "embeddings";
  if (capabilities.includes("vision")) return "vlm";
  return capabilities.includes("completion") ? "llm" : undefined;
}

function formatOf({ format }: Model): (typeof FORMATS)[number] | null {
  return FORMATS.find((known) => known === format) ?? null;
}
