import { z } from "zod";

/** What became of a line, in a line of its own. */
export const lineSchema = z
  .object({
    line: z.int().positive().meta({ description: "The line of the request that it answers, from 1" }),
    status: z.int().meta({ description: "As if the line had been a request of its own" }),
    id: z.string().optional().meta({ description: "The model's" }),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
  })
  .meta({ id: "LineResult" });
