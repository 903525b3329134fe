import { z } from "zod";

// What clients of Ollama read, written from their side: Go's client refuses a time that is none or a
// number in quotes, Python's a digest that is null; what is optional here they do without.

const time = z.iso.datetime({ offset: true });
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const details = z.strictObject({
  parent_model: z.string().optional(),
  format: z.string().optional(),
  family: z.string().optional(),
  families: z.array(z.string()).optional(),
  parameter_size: z
    .string()
    .regex(/^\d+(\.\d{1,2})?[KMB]?$/)
    .optional(),
  quantization_level: z.string().optional(),
  context_length: z.int().positive().optional(),
  embedding_length: z.int().positive().optional(),
});
const capabilities = z
  .array(z.enum(["completion", "tools", "insert", "vision", "embedding", "thinking", "image", "audio"]))
  .nonempty();

export const tagsContract = z.strictObject({
  models: z.array(
    z.strictObject({
      name: z.string().min(1),
      model: z.string().min(1),
      modified_at: time,
      size: z.int().nonnegative().optional(),
      digest: sha256.optional(),
      details,
      capabilities: capabilities.optional(),
    }),
  ),
});

export const psContract = z.strictObject({
  models: z.array(
    z.strictObject({
      name: z.string().min(1),
      model: z.string().min(1),
      size: z.int().nonnegative().optional(),
      digest: sha256.optional(),
      details,
      expires_at: time,
      size_vram: z.int().nonnegative().optional(),
      context_length: z.int().positive().optional(),
    }),
  ),
});

export const showContract = z.strictObject({
  license: z.string().optional(),
  modelfile: z.string().optional(),
  parameters: z.string().optional(),
  template: z.string().optional(),
  system: z.string().optional(),
  details,
  model_info: z.object({ "general.architecture": z.string() }).catchall(z.union([z.string(), z.number()])),
  capabilities: capabilities.optional(),
  modified_at: time,
});

export const errorContract = z.object({ error: z.string().min(1) });
