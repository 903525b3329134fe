import type { GuardedRegistry } from "@cortex/model-db";
import { z } from "zod";

import { jsonList } from "../../answer/json-list.ts";
import { route } from "../../route.ts";
import { LM_STUDIO_EXAMPLES } from "../../schemas/lm-studio-examples.ts";
import { lmStudioModelV1Schema, toLmStudioModelV1 } from "../../schemas/lm-studio.ts";

export const listLmStudioModelsV1 = route({
  method: "get",
  path: "/api/v1/models",
  operationId: "listLmStudioModelsV1",
  summary: "Every model, in the words of LM Studio's version 1",
  description: "Newest registered first, without those that are only there to be downloaded.",
  tag: "lm-studio",
  request: {},
  responses: {
    200: {
      description: "Every model",
      schema: z.object({ models: z.array(lmStudioModelV1Schema) }),
      example: { models: [LM_STUDIO_EXAMPLES.v1] },
    },
  },
  errors: [],
  handle: (c) => jsonList(c, ['{"models":', "}"], lmStudioModels(c.get("caller"))),
});

async function* lmStudioModels({ models, runs }: GuardedRegistry): AsyncGenerator<object, undefined> {
  const runsOf = Map.groupBy(await runs.list(), ({ modelId }) => modelId);
  for await (const model of models.all({ filter: { availability: { ne: "downloadable" } } })) {
    yield toLmStudioModelV1(model, runsOf.get(model.modelId) ?? []);
  }
}
