import { z } from "zod";

import { etagOf, namesEtag } from "../../etag.ts";
import { route } from "../../route.ts";
import { MODEL_EXAMPLE } from "../../schemas/examples.ts";
import { modelHeaders } from "../../schemas/headers.ts";
import { modelSchema, toWireModel } from "../../schemas/model.ts";
import { modelPath } from "./path.ts";

export const getModel = route({
  method: "get",
  path: "/v1/models/{model_id}",
  operationId: "getModel",
  summary: "One model, by its id or an alias",
  tag: "models",
  request: {
    path: modelPath,
    headers: z.object({
      "If-None-Match": z
        .string()
        .optional()
        .meta({ description: "The ETags that the client knows (RFC 9110); weak ones count" }),
    }),
  },
  responses: {
    200: { description: "The model", schema: modelSchema, headers: modelHeaders, example: MODEL_EXAMPLE },
    304: { description: "It is still what If-None-Match names", headers: modelHeaders },
  },
  errors: ["model_not_found"],
  handle: async (c, { path }) => {
    const model = await c.get("caller").models.resolve(path.model_id);
    const etag = etagOf(model);
    const known = c.req.header("if-none-match");
    if (known !== undefined && namesEtag(known, etag)) return c.body(null, 304, { etag });
    return c.json(toWireModel(model), 200, { etag });
  },
});
