import { z } from "zod";

/** A page of a list on the wire. */
export function pageSchema<Item extends z.ZodType>(
  item: Item,
): z.ZodObject<{
  object: z.ZodLiteral<"list">;
  data: z.ZodArray<Item>;
  next_cursor: z.ZodNullable<z.ZodString>;
  total: z.ZodOptional<z.ZodInt>;
}> {
  return z.object({
    object: z.literal("list"),
    data: z.array(item),
    next_cursor: z.string().nullable().meta({ description: "`cursor` of the next page; null on the last" }),
    total: z.int().nonnegative().optional().meta({ description: "How many there are, where asked for" }),
  });
}

/** The headers of a page. */
export const pageHeaders = z.object({
  Link: z.string().optional().meta({ description: 'The next page, `rel="next"` (RFC 8288)' }),
});

/** The headers of a page that a client can ask to get only when it is another. */
export const keptPageHeaders = pageHeaders.extend({
  ETag: z.string().meta({
    description: "The same as long as no model that the caller sees changes",
    example: '"9f86d081884c7d65"',
  }),
});
