import { z } from "zod";

import { changeAnswer } from "../../answer/answer-change.ts";
import { changingRoute } from "../../route.ts";
import { aliasSchema, toWireAliases } from "../../schemas/alias.ts";
import { preferHeader } from "../../schemas/headers.ts";
import { aliasPath } from "./path.ts";

const EXAMPLE = { alias: "best", model_id: "tinyllama:1b-gguf", primary: false };

export const putAlias = changingRoute({
  method: "put",
  path: "/v1/aliases/{alias}",
  operationId: "putAlias",
  summary: "Points an alias at a model, in one step, whichever model it meant before",
  tag: "aliases",
  request: {
    path: aliasPath,
    headers: z.object({ Prefer: preferHeader }),
    body: z.strictObject({ model_id: z.string().meta({ description: "An id or an alias" }) }),
  },
  responses: {
    200: { description: "It was there and means this model now", schema: aliasSchema, example: EXAMPLE },
    201: { description: "It is new", schema: aliasSchema, example: EXAMPLE },
    204: { description: "It was there and means this model now; the client prefers no body" },
  },
  errors: ["model_not_found", "name_taken"],
  change: async (caller, { path: { alias }, body: { model_id } }, asked) => {
    const { isNew, model } = await caller.transaction(async ({ models }) => ({
      isNew: (await models.findByName(alias)) === undefined,
      model: await models.repointAlias(alias, model_id),
    }));
    const pointed = toWireAliases(model).find((each) => each.alias === alias);
    // A model's id means it already, and so is no alias.
    const meant = pointed ?? { alias, model_id: model.modelId, primary: false };
    return changeAnswer(asked, JSON.stringify(meant), isNew ? 201 : 200);
  },
});
