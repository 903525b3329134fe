import { z } from "zod";

/** The path of one alias. */
export const aliasPath = z.object({
  alias: z.string().meta({
    description: "It may hold `:` and `/`, as they are or as %3A and %2F",
    example: "tiny",
  }),
});
