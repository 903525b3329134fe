import { z } from "zod";

/** The path of one model. */
export const modelPath = z.object({
  model_id: z.string().meta({
    description: "An id or an alias; it may hold `:` and `/`, as they are or as %3A and %2F",
    example: "tinyllama:1b-gguf",
  }),
});
