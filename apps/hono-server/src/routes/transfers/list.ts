import { TRANSFER_STATES } from "@cortex/model-db";
import { z } from "zod";

import { nextLink } from "../../answer/next-link.ts";
import { route } from "../../route.ts";
import { pageHeaders, pageSchema } from "../../schemas/page.ts";
import { cursorParameter, limitParameter } from "../../schemas/parameters.ts";
import { TRANSFER_EXAMPLE, toWireTransfer, transferSchema } from "../../schemas/transfer.ts";

export const listTransfers = route({
  method: "get",
  path: "/v1/transfers",
  operationId: "listTransfers",
  summary: "What is being fetched, and was in the last 30 days; the newest first",
  tag: "transfers",
  request: {
    query: z.strictObject({
      state: z
        .array(z.enum(TRANSFER_STATES))
        .optional()
        .meta({ description: "Only these states; may be repeated" }),
      model_id: z.string().optional().meta({ description: "Only those that make this model: its exact id" }),
      limit: limitParameter,
      cursor: cursorParameter,
    }),
  },
  responses: {
    200: {
      description: "A page",
      schema: pageSchema(transferSchema),
      headers: pageHeaders,
      example: { object: "list", data: [TRANSFER_EXAMPLE], next_cursor: null },
    },
  },
  errors: [],
  handle: async (c, { query: { state, model_id, limit, cursor } }) => {
    const page = await c.get("caller").transfers.list({ state, modelId: model_id, limit, cursor });
    const body = { object: "list", data: page.items.map(toWireTransfer), next_cursor: page.nextCursor };
    return c.json(body, 200, nextLink(c, page.nextCursor));
  },
});
