import { z } from "zod";

import { nextLink } from "../../answer/next-link.ts";
import { route } from "../../route.ts";
import { pageHeaders, pageSchema } from "../../schemas/page.ts";
import { cursorParameter, limitParameter } from "../../schemas/parameters.ts";

export const listTags = route({
  method: "get",
  path: "/v1/tags",
  operationId: "listTags",
  summary: "The tags in their order, and how many models have each",
  tag: "tags",
  request: { query: z.strictObject({ limit: limitParameter, cursor: cursorParameter }) },
  responses: {
    200: {
      description: "A page",
      schema: pageSchema(z.object({ tag: z.string(), count: z.int().positive() }).meta({ id: "Tag" })),
      headers: pageHeaders,
      example: { object: "list", data: [{ tag: "chat", count: 12 }], next_cursor: null },
    },
  },
  errors: [],
  handle: async (c, { query }) => {
    const { items, nextCursor } = await c.get("caller").models.tags(query);
    return c.json({ object: "list", data: items, next_cursor: nextCursor }, 200, nextLink(c, nextCursor));
  },
});
