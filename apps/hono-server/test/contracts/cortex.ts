import { z } from "zod";

// What the old program answered at its last release, field by field; with what a client could read of it.

const named = { id: z.string().min(1), model: z.string().min(1) };

const local = z.looseObject({
  ...named,
  status: z.literal("downloaded").optional(),
  engine: z.string().optional(),
  ctx_len: z.int().optional(),
  size: z.int().optional(),
  files: z.array(z.string()).optional(),
  name: z.string().optional(),
  // Only a remote model had these.
  object: z.never().optional(),
  modelSource: z.never().optional(),
});
const remote = z.strictObject({
  ...named,
  engine: z.string(),
  version: z.string().optional(),
  created: z.int(),
  object: z.literal("model"),
  owned_by: z.string().optional(),
  inference_params: z.record(z.string(), z.unknown()).optional(),
});
const downloadable = z.strictObject({
  ...named,
  modelSource: z.string().optional(),
  status: z.literal("downloadable"),
  engine: z.string().optional(),
  metadata: z
    .string()
    .transform((text) => JSON.parse(text) as unknown)
    .optional(),
});

export const listContract = z.strictObject({
  object: z.literal("list"),
  data: z.array(z.union([downloadable, remote, local])),
  result: z.literal("OK"),
});

export const localContract = local.extend({ status: z.never().optional() });
export const remoteContract = remote.extend({ result: z.literal("OK") });

/** What every failure had. */
export const failureContract = z.looseObject({ message: z.string().min(1) });
