import { z } from "zod";

import { etagOf, namesEtag } from "../../etag.ts";
import { route } from "../../route.ts";
import { modelSchema, toWireModel } from "../../schemas/model.ts";

export const getModel = route({
  method: "get",
  path: "/v1/models/{model_id}",
  operationId: "getModel",
  summary: "One model, by its id or an alias",
  tag: "models",
  request: {
    path: z.object({ model_id: z.string().meta({ description: "An id or an alias; it may hold / and :" }) }),
  },
  responses: {
    200: { description: "The model", schema: modelSchema },
    304: { description: "It is still what If-None-Match names" },
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
