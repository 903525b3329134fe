import { z } from "zod";

import { HttpError } from "../../errors.ts";
import { etagOf } from "../../etag.ts";
import { answerChange } from "../../prefer.ts";
import { route } from "../../route.ts";
import { MODEL_EXAMPLE } from "../../schemas/examples.ts";
import { createdHeaders, preferHeader } from "../../schemas/headers.ts";
import { locationOf, modelSchema, newModelSchema, toWireModel } from "../../schemas/model.ts";
import { toNewModel } from "../../to-input.ts";

export const createModel = route({
  method: "post",
  path: "/v1/models",
  operationId: "createModel",
  summary: "Registers a model",
  description: "Its files are not touched, and need not be there.",
  tag: "models",
  request: {
    headers: z.object({
      Prefer: preferHeader,
      "If-None-Match": z
        .string()
        .optional()
        .meta({ description: "`*`: a model that is there already is 412 instead of 409" }),
    }),
    body: newModelSchema,
  },
  responses: {
    201: {
      description: "The model as it is stored",
      schema: modelSchema,
      headers: createdHeaders,
      example: MODEL_EXAMPLE,
    },
  },
  errors: ["name_taken", "precondition_failed"],
  handle: async (c, { body }) => {
    const { models } = c.get("caller");
    const onlyNew = c.req.header("if-none-match")?.trim() === "*";
    if (onlyNew && (await models.find(body.model_id)) !== undefined) {
      throw new HttpError("precondition_failed", "There is such a model already, and If-None-Match is *.");
    }
    const model = await models.create(toNewModel(body));
    return answerChange(c, toWireModel(model), 201, { etag: etagOf(model), location: locationOf(model) });
  },
});
