import { z } from "zod";

import { route } from "../../route.ts";
import { oldMessageSchema } from "../../schemas/cortex.ts";

const DELETED = { message: "Deleted successfully!" };

export const deleteOldModel = route({
  method: "delete",
  path: "/models/{model_id}",
  operationId: "deleteOldModel",
  summary: "Takes a model out of the registry; its files stay",
  tag: "cortex",
  request: { path: z.object({ model_id: z.string() }) },
  responses: { 200: { description: "It is gone", schema: oldMessageSchema, example: DELETED } },
  errors: ["model_not_found", "model_running"],
  handle: async (c, { path }) => {
    await c.get("caller").models.delete(path.model_id);
    return c.json(DELETED);
  },
});
