import { toRunRecord } from "@cortex/model-db";
import { z } from "zod";

import { route } from "../../route.ts";
import { pageSchema } from "../../schemas/page.ts";
import { RUN_EXAMPLE, runSchema } from "../../schemas/run.ts";

export const listRuns = route({
  method: "get",
  path: "/v1/runs",
  operationId: "listRuns",
  summary: "Who runs what now: the leases that hold, of all models or of one",
  tag: "runs",
  request: {
    query: z.strictObject({ model_id: z.string().optional().meta({ description: "An id or an alias" }) }),
  },
  responses: {
    200: {
      description: "All of them, oldest first",
      schema: pageSchema(runSchema),
      example: { object: "list", data: [RUN_EXAMPLE], next_cursor: null },
    },
  },
  errors: ["model_not_found"],
  handle: async (c, { query: { model_id } }) => {
    const runs = await c.get("caller").runs.list({ name: model_id });
    return c.json({ object: "list", data: runs.map(toRunRecord), next_cursor: null });
  },
});
