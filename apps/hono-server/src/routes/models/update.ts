import { z } from "zod";

import { changeAnswer } from "../../answer/answer-change.ts";
import { changeIfMatch } from "../../answer/change-if-match.ts";
import { etagOf } from "../../answer/etag.ts";
import { toModelUpdate } from "../../request/to-input.ts";
import { changingRoute } from "../../route.ts";
import { MODEL_EXAMPLE } from "../../schemas/examples.ts";
import { ifMatchHeader, modelHeaders, preferHeader } from "../../schemas/headers.ts";
import { modelSchema, modelUpdateSchema, wireModelText } from "../../schemas/model.ts";
import { modelPath } from "./path.ts";

export const updateModel = changingRoute({
  method: "patch",
  path: "/v1/models/{model_id}",
  operationId: "updateModel",
  summary: "Changes the fields of a model that are named, and no others",
  description: "`tags`, `aliases` and `capabilities` are replaced as a whole; `metadata` is a merge patch.",
  tag: "models",
  request: {
    path: modelPath,
    headers: z.object({ "If-Match": ifMatchHeader, Prefer: preferHeader }),
    body: modelUpdateSchema,
  },
  responses: {
    200: {
      description: "The model after the change",
      schema: modelSchema,
      headers: modelHeaders,
      example: { ...MODEL_EXAMPLE, notes: "the small one", row_version: 2 },
    },
    204: { description: "Changed; the client prefers no body", headers: modelHeaders },
  },
  errors: ["model_not_found", "name_taken", "row_version_mismatch"],
  change: async (caller, { path, body }, asked) => {
    const name = path.model_id;
    const update = toModelUpdate(body);
    const model = await changeIfMatch(caller, asked, name, (models) => models.update(name, update));
    return changeAnswer(asked, wireModelText(model), 200, { etag: etagOf(model) });
  },
});
