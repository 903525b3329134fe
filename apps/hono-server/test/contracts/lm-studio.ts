import { z } from "zod";

// What LM Studio's REST API says its answers are; what is optional here its clients do without.

export const v0ModelContract = z.strictObject({
  id: z.string().min(1),
  object: z.literal("model"),
  type: z.enum(["llm", "vlm", "embeddings"]).optional(),
  publisher: z.string().min(1).optional(),
  arch: z.string().min(1).optional(),
  compatibility_type: z.enum(["gguf", "mlx"]).optional(),
  quantization: z.string().min(1).optional(),
  state: z.enum(["loaded", "not-loaded"]),
  max_context_length: z.int().positive().optional(),
});

export const v0ListContract = z.strictObject({ object: z.literal("list"), data: z.array(v0ModelContract) });

export const v1ListContract = z.strictObject({
  models: z.array(
    z.strictObject({
      type: z.enum(["llm", "embedding"]).optional(),
      publisher: z.string().min(1).optional(),
      key: z.string().min(1),
      display_name: z.string().min(1),
      architecture: z.string().min(1).nullable(),
      quantization: z
        .strictObject({ name: z.string().min(1), bits_per_weight: z.number().nullable() })
        .nullable(),
      size_bytes: z.int().nonnegative().optional(),
      params_string: z.string().min(1).nullable(),
      loaded_instances: z.array(z.strictObject({ id: z.string().min(1), config: z.object({}) })),
      max_context_length: z.int().positive().optional(),
      format: z.enum(["gguf", "mlx"]).nullable(),
      capabilities: z.strictObject({ vision: z.boolean(), trained_for_tool_use: z.boolean() }).optional(),
    }),
  ),
});
