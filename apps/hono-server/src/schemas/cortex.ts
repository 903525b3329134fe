import type { JsonObject, JsonValue, Model } from "@cortex/model-db";
import { z } from "zod";

import { HttpError } from "../errors.ts";

/** A model as the old program had it: what its `model.yml` said, and what the registry knows instead. */
export const oldModelSchema = z
  .looseObject({
    id: z.string(),
    model: z.string(),
    status: z
      .enum(["downloaded", "downloadable"])
      .optional()
      .meta({ description: "Absent where its files are not here, and for a model behind an API" }),
    engine: z.string().optional(),
    size: z.int().optional().meta({ description: "Bytes" }),
    ctx_len: z.int().optional(),
    modelSource: z.string().optional(),
    metadata: z.string().optional().meta({ description: "JSON in a text" }),
    object: z.string().optional(),
    created: z.int().optional().meta({ description: "Unix seconds" }),
    owned_by: z.string().optional(),
    result: z.literal("OK").optional(),
  })
  .meta({ id: "OldModel" });

/** What the old program answered to a change. */
export const oldMessageSchema = z.object({ message: z.string() }).meta({ id: "OldMessage" });

/** A model of the old program, for the documentation. */
export const OLD_EXAMPLE: z.input<typeof oldModelSchema> = {
  id: "tinyllama:1b-gguf",
  model: "tinyllama:1b-gguf",
  name: "tinyllama",
  engine: "llama-cpp",
  ctx_len: 4096,
  size: 667_814_368,
};

const REMOTE_FIELDS = ["version", "inference_params"] as const;

/** A model as it is in the old program's list. */
export function toOldModel(model: Model): z.input<typeof oldModelSchema> {
  if (model.availability === "remote") return toRemoteModel(model);
  if (model.availability === "downloadable") return toDownloadableModel(model);
  const fields = toLocalModel(model);
  return model.availability === "missing" ? fields : { ...fields, status: "downloaded" };
}

/** A model as the old program showed one alone. */
export function toOldModelAlone(model: Model): z.input<typeof oldModelSchema> {
  const { status: _, ...fields } = toOldModel(model);
  return model.availability === "remote" ? { ...fields, result: "OK" } : fields;
}

/**
 * A field that a body must have.
 *
 * @throws HttpError `missing_field`, in the old program's words.
 */
export function requireField(value: string | null | undefined, field: string): string {
  if (value == null) throw new HttpError("missing_field", `No ${field} field in request body`);
  return value;
}

function toLocalModel(model: Model): z.input<typeof oldModelSchema> {
  const { modelId, engine, sizeBytes, contextLength } = model;
  return {
    ...ymlOf(model),
    ...(contextLength === null ? {} : { ctx_len: contextLength }),
    ...(engine === null ? {} : { engine }),
    ...(sizeBytes === null ? {} : { size: sizeBytes }),
    id: modelId,
    model: modelId,
  };
}

function toRemoteModel(model: Model): z.input<typeof oldModelSchema> {
  const { modelId, engine, createdAt, authorRepo } = model;
  const yml = ymlOf(model);
  const kept = REMOTE_FIELDS.filter((field) => yml[field] !== undefined);
  return {
    ...Object.fromEntries(kept.map((field) => [field, yml[field]])),
    ...(engine === null ? {} : { engine }),
    created: Math.floor(createdAt / 1000),
    object: "model",
    ...(authorRepo === null ? {} : { owned_by: authorRepo }),
    id: modelId,
    model: modelId,
  };
}

function toDownloadableModel({ modelId, engine, metadata }: Model): z.input<typeof oldModelSchema> {
  const { model_source: source, metadata: facts } = objectIn(metadata["legacy"]);
  return {
    id: modelId,
    model: modelId,
    ...(typeof source === "string" ? { modelSource: source } : {}),
    status: "downloadable",
    ...(engine === null ? {} : { engine }),
    ...(facts === undefined ? {} : { metadata: JSON.stringify(facts) }),
  };
}

/** What `model.yml` said, where the model was brought over from an old data folder. */
function ymlOf({ metadata }: Model): JsonObject {
  return objectIn(metadata["model_yml"]);
}

function objectIn(value: JsonValue | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}
