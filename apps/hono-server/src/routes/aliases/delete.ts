import { z } from "zod";

import { changeAnswer } from "../../answer/answer-change.ts";
import { changingRoute } from "../../route.ts";
import { preferHeader } from "../../schemas/headers.ts";
import { aliasPath } from "./path.ts";

export const deleteAlias = changingRoute({
  method: "delete",
  path: "/v1/aliases/{alias}",
  operationId: "deleteAlias",
  summary: "Takes an alias away from its model",
  tag: "aliases",
  request: { path: aliasPath, headers: z.object({ Prefer: preferHeader }) },
  responses: {
    200: {
      description: "It means nothing any more",
      schema: z.object({ alias: z.string(), deleted: z.literal(true) }).meta({ id: "DeletedAlias" }),
      example: { alias: "tiny", deleted: true },
    },
    204: { description: "It means nothing any more; the client prefers no body" },
  },
  errors: ["model_not_found", "not_found"],
  change: async (caller, { path: { alias } }, asked) => {
    await caller.models.changeAliases(alias, { remove: [alias] });
    return changeAnswer(asked, JSON.stringify({ alias, deleted: true }), 200);
  },
});
