import { z } from "zod";

/** What every failure looks like. */
export const errorSchema = z
  .object({
    error: z.object({
      code: z.string().meta({ description: "One word of a closed set", example: "model_not_found" }),
      message: z.string().meta({ description: "What happened, to which thing, and what to do next" }),
      request_id: z.string().meta({ description: "Names the request in the server's log" }),
    }),
  })
  .meta({ id: "Error" });
