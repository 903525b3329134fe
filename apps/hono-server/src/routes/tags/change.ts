import { z } from "zod";

import { changeAnswer } from "../../answer/answer-change.ts";
import { changeIfMatch } from "../../answer/change-if-match.ts";
import { etagOf } from "../../answer/etag.ts";
import { changingRoute } from "../../route.ts";
import { MODEL_EXAMPLE } from "../../schemas/examples.ts";
import { ifMatchHeader, modelHeaders, preferHeader } from "../../schemas/headers.ts";
import { modelSchema, wireModelText } from "../../schemas/model.ts";

export const changeTags = changingRoute({
  method: "post",
  path: "/v1/tags",
  operationId: "changeTags",
  summary: "Adds tags to a model and takes some away",
  description: "What is there already, or is not there, is no error.",
  tag: "tags",
  request: {
    headers: z.object({ "If-Match": ifMatchHeader, Prefer: preferHeader }),
    body: z.strictObject({
      model_id: z.string().meta({ description: "An id or an alias" }),
      add: z.array(z.string()).optional(),
      remove: z.array(z.string()).optional(),
    }),
  },
  responses: {
    200: {
      description: "The model after the change",
      schema: modelSchema,
      headers: modelHeaders,
      example: { ...MODEL_EXAMPLE, tags: ["chat", "small"], row_version: 2 },
    },
    204: { description: "Changed; the client prefers no body", headers: modelHeaders },
  },
  errors: ["model_not_found", "row_version_mismatch"],
  change: async (caller, { body: { model_id, ...change } }, asked) => {
    const model = await changeIfMatch(caller, asked, model_id, (models) =>
      models.changeTags(model_id, change),
    );
    return changeAnswer(asked, wireModelText(model), 200, { etag: etagOf(model) });
  },
});
