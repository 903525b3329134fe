import {
  AVAILABILITIES,
  FILE_ROLES,
  MODEL_FIELDS,
  Projection,
  SOURCE_TYPES,
  toRecord,
  type Model,
  type ModelRecord,
} from "@cortex/model-db";
import { z } from "zod";

const text = z.string().nullable();
const count = z.int().nonnegative().nullable();
const time = z.int().nonnegative().meta({ description: "Unix milliseconds" });
const metadata = z.record(z.string(), z.unknown());

// What a person may say of a model.
const saidFields = {
  source_type: z.enum(SOURCE_TYPES),
  author_repo: text,
  branch: text,
  config_path: text,
  alias: text,
  aliases: z.array(z.string()),
  availability: z.enum(AVAILABILITIES),
  engine: text,
  format: text,
  architecture: text,
  quantization: text,
  parameter_count: count,
  context_length: count,
  size_bytes: count,
  capabilities: z.array(z.string()),
  metadata,
  tags: z.array(z.string()),
  notes: text,
  pinned: z.boolean(),
  owner: text.meta({ description: "The name of the user whose it is" }),
  private: z.boolean().meta({ description: "Only its owner and administrators see it" }),
  last_used_at: time.nullable(),
};

const recordFields = {
  model_id: z.string(),
  ...saidFields,
  status: z.union([z.literal(0), z.literal(1)]).meta({ description: "0 READY, 1 RUNNING" }),
  created_at: time,
  updated_at: time,
  row_version: z.int().positive(),
  row_checksum: z.string(),
};

/** A model on the wire: OpenAI's fields, the old server's `model`, then the record. */
export const modelSchema = z
  .object({
    id: z.string(),
    object: z.literal("model"),
    created: z.int().meta({ description: "Unix seconds" }),
    owned_by: z.string(),
    model: z.string().meta({ description: "The same as id, for clients of the old server" }),
    ...recordFields,
  })
  .meta({ id: "Model" });

/** A model of which some fields were asked for. */
export const partialModelSchema = modelSchema.partial().required({ id: true, object: true });

/** What a model consists of. */
const fileSchema = z
  .object({
    path: z.string(),
    role: z.enum(FILE_ROLES),
    size_bytes: count,
    sha256: z.string().nullable().meta({ description: "64 lower-case hexadecimal digits" }),
    verified_at: time.nullable(),
    source: text,
  })
  .meta({ id: "ModelFile" });

/** A model and its files, as it is exported. */
export const exportedModelSchema = z
  .object({ ...recordFields, files: z.array(fileSchema) })
  .meta({ id: "ExportedModel" });

/** What a registration takes; what is left out is not known. */
export const newModelSchema = z
  .strictObject({
    model_id: z.string(),
    ...z.object(saidFields).partial().shape,
    source_type: saidFields.source_type,
    alias: text.optional().meta({ description: "Left out: a short one is made from the id. null: none" }),
    created_at: time.optional(),
    updated_at: time.optional(),
    files: z
      .array(z.strictObject({ ...fileSchema.partial().shape, path: z.string(), role: z.enum(FILE_ROLES) }))
      .optional(),
  })
  .meta({ id: "NewModel" });

/** What a change takes: only the fields named change. */
export const modelUpdateSchema = z
  .strictObject({
    ...saidFields,
    metadata: metadata.meta({ description: "A merge patch (RFC 7396): null takes a key away" }),
  })
  .partial()
  .meta({ id: "ModelUpdate" });

/** The model as it goes over the wire. */
export type WireModel = {
  id: string;
  object: "model";
  created: number;
  owned_by: string;
  model: string;
} & ModelRecord;

/** The same as {@link toWireModel}, for reads as JSON text. */
export const WIRE: Projection = new Projection([
  { key: "id", field: "model_id" },
  { key: "object", text: "model" },
  { key: "created", secondsOf: "created_at" },
  { key: "owned_by", firstOf: ["author_repo", "source_type"] },
  { key: "model", field: "model_id" },
  ...MODEL_FIELDS.map(({ name }) => ({ key: name, field: name })),
]);

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

const KEYS = MODEL_FIELDS.map(({ name, property }) => ({ key: `,"${name}":`, property }));

/** The JSON of {@link toWireModel}, in a third of the time: an object made only to be written is what takes it. */
export function wireModelText(model: Model): string {
  const id = JSON.stringify(model.modelId);
  const owner = JSON.stringify(model.authorRepo ?? model.sourceType);
  const created = Math.floor(model.createdAt / 1000);
  let json = `{"id":${id},"object":"model","created":${created},"owned_by":${owner},"model":${id}`;
  for (const { key, property } of KEYS) json += key + valueText(model[property]);
  return `${json}}`;
}

function valueText(value: Model[keyof Model]): string {
  return typeof value === "string" || (typeof value === "object" && value !== null)
    ? JSON.stringify(value)
    : String(value);
}

/** Where a model is: its id is one segment. */
export function locationOf({ modelId }: Pick<Model, "modelId">): string {
  return `/v1/models/${encodeURIComponent(modelId)}`;
}
