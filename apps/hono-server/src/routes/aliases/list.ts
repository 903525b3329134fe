import { z } from "zod";

import { nextLink } from "../../answer/next-link.ts";
import { route } from "../../route.ts";
import { aliasSchema, toWireAliases } from "../../schemas/alias.ts";
import { pageHeaders, pageSchema } from "../../schemas/page.ts";
import { cursorParameter, limitParameter } from "../../schemas/parameters.ts";

export const listAliases = route({
  method: "get",
  path: "/v1/aliases",
  operationId: "listAliases",
  summary: "The aliases of all models, or of one",
  description:
    "In the order of the models' ids. A page is of so many models, so it may hold more aliases, or none: `next_cursor` says whether there is another.",
  tag: "aliases",
  request: {
    query: z.strictObject({
      model_id: z.string().optional().meta({ description: "An id or an alias" }),
      limit: limitParameter,
      cursor: cursorParameter,
    }),
  },
  responses: {
    200: {
      description: "A page",
      schema: pageSchema(aliasSchema),
      headers: pageHeaders,
      example: {
        object: "list",
        data: [{ alias: "tiny", model_id: "tinyllama:1b-gguf", primary: true }],
        next_cursor: null,
      },
    },
  },
  errors: ["model_not_found"],
  handle: async (c, { query: { model_id, limit, cursor } }) => {
    const { models } = c.get("caller");
    if (model_id !== undefined) {
      const data = toWireAliases(await models.resolve(model_id));
      return c.json({ object: "list", data, next_cursor: null });
    }
    const { items, nextCursor } = await models.list({ sort: { field: "model_id" }, limit, cursor });
    const page = { object: "list", data: items.flatMap(toWireAliases), next_cursor: nextCursor };
    return c.json(page, 200, nextLink(c, nextCursor));
  },
});
