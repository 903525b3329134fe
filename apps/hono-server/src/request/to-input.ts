import {
  MODEL_FIELDS,
  toProperties,
  type JsonObject,
  type ModelUpdate,
  type NewModel,
  type NewModelFile,
} from "@cortex/model-db";
import type { z } from "zod";

import type { modelUpdateSchema, newModelSchema } from "../schemas/model.ts";

/** What `models.create` takes, of a body. */
export function toNewModel({ files, ...record }: z.output<typeof newModelSchema>): NewModel {
  const model = toProperties(record as JsonObject) as unknown as NewModel;
  if (files === undefined) return model;
  return {
    ...model,
    files: files.map((file) => toProperties(file as JsonObject) as unknown as NewModelFile),
  };
}

const PROPERTIES = new Map<string, string>(MODEL_FIELDS.map(({ name, property }) => [name, property]));

/** What `models.update` takes, of a body. */
export function toModelUpdate(record: z.output<typeof modelUpdateSchema>): ModelUpdate {
  const update: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record)) update[PROPERTIES.get(name)!] = value;
  return update;
}
