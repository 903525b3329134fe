import { AVAILABILITIES, SOURCE_TYPES, toRecord, type Model, type ModelRecord } from "@cortex/model-db";
import { z } from "zod";

const text = z.string().nullable();
const count = z.int().nonnegative().nullable();
const time = z.int().meta({ description: "Unix milliseconds" });

/** A model on the wire: OpenAI's fields, the old server's `model`, then the record. */
export const modelSchema = z
  .object({
    id: z.string(),
    object: z.literal("model"),
    created: z.int().meta({ description: "Unix seconds" }),
    owned_by: z.string(),
    model: z.string().meta({ description: "The same as id, for clients of the old server" }),
    model_id: z.string(),
    source_type: z.enum(SOURCE_TYPES),
    author_repo: text,
    branch: text,
    config_path: text,
    alias: text,
    aliases: z.array(z.string()),
    status: z.union([z.literal(0), z.literal(1)]).meta({ description: "0 READY, 1 RUNNING" }),
    created_at: time,
    updated_at: time,
    availability: z.enum(AVAILABILITIES),
    engine: text,
    format: text,
    architecture: text,
    quantization: text,
    parameter_count: count,
    context_length: count,
    size_bytes: count,
    capabilities: z.array(z.string()),
    metadata: z.record(z.string(), z.unknown()),
    tags: z.array(z.string()),
    notes: text,
    pinned: z.boolean(),
    last_used_at: z.int().nullable(),
    row_version: z.int().positive(),
    row_checksum: z.string(),
  })
  .meta({ id: "Model" });

/** The model as it goes over the wire. */
export type WireModel = {
  id: string;
  object: "model";
  created: number;
  owned_by: string;
  model: string;
} & ModelRecord;

export function toWireModel(model: Model): WireModel {
  return {
    id: model.modelId,
    object: "model",
    created: Math.floor(model.createdAt / 1000),
    owned_by: model.authorRepo ?? model.sourceType,
    model: model.modelId,
    ...toRecord(model),
  };
}
