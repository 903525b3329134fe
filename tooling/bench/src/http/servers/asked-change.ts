import { MODEL_FIELDS } from "@cortex/model-db";
import { z } from "zod";

const KINDS: Readonly<Record<string, z.ZodType>> = {
  text: z.string().nullable(),
  integer: z.int().nonnegative().nullable(),
  bytes: z.int().nonnegative().nullable(),
  time: z.int().nonnegative().nullable(),
  boolean: z.boolean(),
  list: z.array(z.string()),
  object: z.record(z.string(), z.unknown()),
};
const OWN: readonly string[] = [
  "model_id",
  "status",
  "created_at",
  "updated_at",
  "row_version",
  "row_checksum",
];

const UPDATE = z
  .strictObject(
    Object.fromEntries(
      MODEL_FIELDS.filter(({ name }) => !OWN.includes(name)).map(({ name, type }) => [name, KINDS[type]!]),
    ),
  )
  .partial();

/**
 * The context length that the body of a change names, checked as the service checks it: each field that can be
 * changed has its type, and there are no others.
 */
export function contextLengthOf(body: unknown): number {
  return UPDATE.parse(body)["context_length"] as number;
}
