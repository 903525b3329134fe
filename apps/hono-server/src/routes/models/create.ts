import { z } from "zod";

import { answerChange } from "../../answer/answer-change.ts";
import { answerOnce } from "../../answer/answer-once.ts";
import { etagOf } from "../../answer/etag.ts";
import { HttpError } from "../../errors.ts";
import { toNewModel } from "../../request/to-input.ts";
import { route } from "../../route.ts";
import { MODEL_EXAMPLE } from "../../schemas/examples.ts";
import { createdHeaders, idempotencyKeyHeader, preferHeader } from "../../schemas/headers.ts";
import { locationOf, modelSchema, newModelSchema, wireModelText } from "../../schemas/model.ts";

export const createModel = route({
  method: "post",
  path: "/v1/models",
  operationId: "createModel",
  summary: "Registers a model",
  description: "Its files are not touched, and need not be there.",
  tag: "models",
  request: {
    headers: z.object({
      "Idempotency-Key": idempotencyKeyHeader,
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
  errors: ["name_taken", "precondition_failed", "idempotency_key_in_use", "idempotency_key_reused"],
  handle: (c, { body }) =>
    answerOnce(c, body, async ({ models }) => {
      const onlyNew = c.req.header("if-none-match")?.trim() === "*";
      if (onlyNew && (await models.find(body.model_id)) !== undefined) {
        throw new HttpError("precondition_failed", "There is such a model already, and If-None-Match is *.");
      }
      const model = await models.create(toNewModel(body));
      return answerChange(c, wireModelText(model), 201, { etag: etagOf(model), location: locationOf(model) });
    }),
});
