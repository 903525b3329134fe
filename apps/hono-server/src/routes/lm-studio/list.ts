import type { GuardedRegistry } from "@cortex/model-db";
import { z } from "zod";

import { jsonList } from "../../answer/json-list.ts";
import { route } from "../../route.ts";
import { LM_STUDIO_EXAMPLES } from "../../schemas/lm-studio-examples.ts";
import { lmStudioModelSchema, toLmStudioModel } from "../../schemas/lm-studio.ts";

export const listLmStudioModels = route({
  method: "get",
  path: "/api/v0/models",
  operationId: "listLmStudioModels",
  summary: "Every model",
  description: "Newest registered first, without those that are only there to be downloaded.",
  tag: "lm-studio",
  request: {},
  responses: {
    200: {
      description: "Every model",
      schema: z.object({ object: z.literal("list"), data: z.array(lmStudioModelSchema) }),
      example: { object: "list", data: [LM_STUDIO_EXAMPLES.v0] },
    },
  },
  errors: [],
  handle: (c) => jsonList(c, ['{"object":"list","data":', "}"], lmStudioModels(c.get("caller"))),
});

async function* lmStudioModels({ models }: GuardedRegistry): AsyncGenerator<object, undefined> {
  const here = models.all({ filter: { availability: { ne: "downloadable" } } });
  for await (const model of here) yield toLmStudioModel(model);
}
