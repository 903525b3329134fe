import { z } from "zod";

import { changeAnswer } from "../../answer/answer-change.ts";
import { changeIfMatch } from "../../answer/change-if-match.ts";
import { changingRoute } from "../../route.ts";
import { ifMatchHeader, preferHeader } from "../../schemas/headers.ts";
import { modelPath } from "./path.ts";

const deletedSchema = z
  .object({
    id: z.string(),
    object: z.literal("model"),
    deleted: z.literal(true),
    message: z.string().meta({ description: "What the old server said" }),
  })
  .meta({ id: "DeletedModel" });

export const deleteModel = changingRoute({
  method: "delete",
  path: "/v1/models/{model_id}",
  operationId: "deleteModel",
  summary: "Takes a model out of the registry",
  description: "Its files are not touched, and its history stays.",
  tag: "models",
  request: {
    path: modelPath,
    headers: z.object({ "If-Match": ifMatchHeader, Prefer: preferHeader }),
  },
  responses: {
    200: {
      description: "It is gone",
      schema: deletedSchema,
      example: { id: "tinyllama:1b-gguf", object: "model", deleted: true, message: "Deleted successfully!" },
    },
    204: { description: "It is gone; the client prefers no body" },
  },
  errors: ["model_not_found", "model_running", "row_version_mismatch"],
  change: async (caller, { path }, asked) => {
    const name = path.model_id;
    const { modelId } = await changeIfMatch(caller, asked, name, (models) => models.delete(name));
    const gone = { id: modelId, object: "model", deleted: true, message: "Deleted successfully!" };
    return changeAnswer(asked, JSON.stringify(gone), 200);
  },
});
