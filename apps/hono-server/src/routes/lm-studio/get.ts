import { z } from "zod";

import { route } from "../../route.ts";
import { LM_STUDIO_EXAMPLES } from "../../schemas/lm-studio-examples.ts";
import { lmStudioModelSchema, toLmStudioModel } from "../../schemas/lm-studio.ts";

export const getLmStudioModel = route({
  method: "get",
  path: "/api/v0/models/{model}",
  operationId: "getLmStudioModel",
  summary: "One model, by its id or an alias",
  tag: "lm-studio",
  request: { path: z.object({ model: z.string() }) },
  responses: {
    200: { description: "The model", schema: lmStudioModelSchema, example: LM_STUDIO_EXAMPLES.v0 },
  },
  errors: ["model_not_found"],
  handle: async (c, { path }) => c.json(toLmStudioModel(await c.get("caller").models.resolve(path.model))),
});
