import { route } from "../../route.ts";
import { ollamaNameSchema } from "../../schemas/ollama.ts";
import { findModel, nameIn } from "./find-model.ts";

export const deleteOllamaModel = route({
  method: "delete",
  path: "/api/delete",
  operationId: "deleteOllamaModel",
  summary: "Takes a model out of the registry; its files stay",
  tag: "ollama",
  request: { body: ollamaNameSchema, isAnyMediaType: true },
  responses: { 200: { description: "It is gone" } },
  errors: ["model_not_found", "model_running"],
  handle: async (c, { body }) => {
    const caller = c.get("caller");
    await caller.models.delete((await findModel(caller, nameIn(body))).modelId);
    return c.body(null, 200);
  },
});
