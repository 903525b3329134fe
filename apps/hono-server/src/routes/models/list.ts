import { z } from "zod";

import { route } from "../../route.ts";
import { modelSchema, toWireModel } from "../../schemas/model.ts";

export const listModels = route({
  method: "get",
  path: "/v1/models",
  operationId: "listModels",
  summary: "A page of the models, newest first",
  tag: "models",
  request: { query: z.strictObject({ cursor: z.string().optional() }) },
  responses: {
    200: {
      description: "A page",
      schema: z.object({
        object: z.literal("list"),
        data: z.array(modelSchema),
        next_cursor: z.string().nullable(),
        total: z.int().optional(),
      }),
    },
  },
  errors: [],
  handle: async (c, { query }) => {
    const { items, nextCursor } = await c.get("caller").models.list({ cursor: query.cursor });
    return c.json({ object: "list", data: items.map(toWireModel), next_cursor: nextCursor });
  },
});
