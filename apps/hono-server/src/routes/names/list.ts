import { z } from "zod";

import { route } from "../../route.ts";
import { pageSchema } from "../../schemas/page.ts";
import { limitParameter } from "../../schemas/parameters.ts";

export const listNames = route({
  method: "get",
  path: "/v1/names",
  operationId: "listNames",
  summary: "The ids and aliases that begin with a text, for completion",
  tag: "aliases",
  request: {
    query: z.strictObject({
      prefix: z.string().default("").meta({ description: "How they begin; it counts as it is written" }),
      limit: limitParameter,
    }),
  },
  responses: {
    200: {
      description: "The first of them, in their order",
      schema: pageSchema(z.object({ name: z.string(), model_id: z.string() }).meta({ id: "Name" })),
      example: {
        object: "list",
        data: [{ name: "tiny", model_id: "tinyllama:1b-gguf" }],
        next_cursor: null,
      },
    },
  },
  errors: [],
  handle: async (c, { query: { prefix, limit = 50 } }) => {
    const names = await c.get("caller").models.names({ prefix, limit });
    const data = names.map(({ name, modelId }) => ({ name, model_id: modelId }));
    return c.json({ object: "list", data, next_cursor: null });
  },
});
