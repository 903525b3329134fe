import { z } from "zod";

import { etagOf } from "../../answer/etag.ts";
import { JsonText } from "../../answer/json-text.ts";
import { keptRoute } from "../../route.ts";
import { MODEL_EXAMPLE } from "../../schemas/examples.ts";
import { ifNoneMatchHeader, modelHeaders } from "../../schemas/headers.ts";
import { modelSchema, WIRE } from "../../schemas/model.ts";
import { modelPath } from "./path.ts";

export const getModel = keptRoute({
  method: "get",
  path: "/v1/models/{model_id}",
  operationId: "getModel",
  summary: "One model, by its id or an alias",
  tag: "models",
  request: {
    path: modelPath,
    query: z.strictObject({}),
    headers: z.object({ "If-None-Match": ifNoneMatchHeader }),
  },
  responses: {
    200: { description: "The model", schema: modelSchema, headers: modelHeaders, example: MODEL_EXAMPLE },
    304: { description: "It is still what If-None-Match names", headers: modelHeaders },
  },
  errors: ["model_not_found"],
  read: async ({ models }, { path }) => {
    const model = await models.resolveJson(path.model_id, WIRE);
    return new JsonText([model.json], { etag: etagOf(model) });
  },
});
