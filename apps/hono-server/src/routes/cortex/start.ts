import { z } from "zod";

import { oldMessageSchema, requireField } from "../../schemas/cortex.ts";
import { HTTP_LEASE } from "./http-lease.ts";
import { withAndWithoutPrefix } from "./with-and-without-prefix.ts";

const STARTED = { message: "Started successfully!" };

export const startModel = withAndWithoutPrefix({
  method: "post",
  path: "/models/start",
  operationId: "startModel",
  summary: "Says that a model runs",
  description:
    "A lease of a day in the name of `http`, beside those of others. Starting it again begins the day anew; " +
    "the other fields that the old program took are ignored.",
  tag: "cortex",
  request: { body: z.object({ model: z.string().nullish() }).optional() },
  responses: { 200: { description: "It is RUNNING", schema: oldMessageSchema, example: STARTED } },
  errors: ["missing_field", "model_not_found"],
  handle: async (c, { body }) => {
    await c.get("caller").runs.acquire(requireField(body?.model, "model"), { ...HTTP_LEASE, join: true });
    return c.json(STARTED);
  },
});
