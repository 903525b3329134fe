import type { GuardedRegistry } from "@cortex/model-db";
import { z } from "zod";

import { jsonList } from "../../answer/json-list.ts";
import { route } from "../../route.ts";
import { OLD_EXAMPLE, oldModelSchema, toOldModel } from "../../schemas/cortex.ts";

export const listOldModels = route({
  method: "get",
  path: "/models",
  operationId: "listOldModels",
  summary: "Every model, as the old program listed them",
  description: "Its query is ignored, as it was: there are no pages.",
  tag: "cortex",
  request: {},
  responses: {
    200: {
      description: "Every model",
      schema: z.object({
        object: z.literal("list"),
        data: z.array(oldModelSchema),
        result: z.literal("OK"),
      }),
      example: { object: "list", data: [OLD_EXAMPLE], result: "OK" },
    },
  },
  errors: [],
  handle: (c) => jsonList(c, ['{"object":"list","data":', ',"result":"OK"}'], oldModels(c.get("caller"))),
});

async function* oldModels({ models }: GuardedRegistry): AsyncGenerator<object, undefined> {
  for await (const model of models.all()) yield toOldModel(model);
}
