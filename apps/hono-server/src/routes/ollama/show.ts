import { route } from "../../route.ts";
import { OLLAMA_EXAMPLES } from "../../schemas/ollama-examples.ts";
import { ollamaNameSchema, ollamaShowSchema, toOllamaShow } from "../../schemas/ollama.ts";
import { findModel, nameIn } from "./find-model.ts";

export const showOllamaModel = route({
  method: "post",
  path: "/api/show",
  operationId: "showOllamaModel",
  summary: "What is known of a model",
  tag: "ollama",
  request: { body: ollamaNameSchema, isAnyMediaType: true },
  responses: {
    200: {
      description: "What is known of it",
      schema: ollamaShowSchema,
      example: OLLAMA_EXAMPLES.show,
    },
  },
  errors: ["model_not_found"],
  handle: async (c, { body }) => c.json(toOllamaShow(await findModel(c.get("caller"), nameIn(body)))),
});
