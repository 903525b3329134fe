import { z } from "zod";

import { route } from "../../route.ts";
import { OLD_EXAMPLE, oldModelSchema, toOldModelAlone } from "../../schemas/cortex.ts";

export const getOldModel = route({
  method: "get",
  path: "/models/{model_id}",
  operationId: "getOldModel",
  summary: "One model, as the old program showed it",
  tag: "cortex",
  request: { path: z.object({ model_id: z.string() }) },
  responses: { 200: { description: "The model", schema: oldModelSchema, example: OLD_EXAMPLE } },
  errors: ["model_not_found"],
  handle: async (c, { path }) => c.json(toOldModelAlone(await c.get("caller").models.resolve(path.model_id))),
});
