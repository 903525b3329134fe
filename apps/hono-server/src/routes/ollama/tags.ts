import type { GuardedRegistry } from "@cortex/model-db";
import { z } from "zod";

import { jsonList } from "../../answer/json-list.ts";
import { route } from "../../route.ts";
import { OLLAMA_EXAMPLES } from "../../schemas/ollama-examples.ts";
import { ollamaModelSchema, toOllamaModel } from "../../schemas/ollama.ts";
import { isOllamaProgram } from "./ollama-program.ts";

export const listOllamaModels = route({
  method: "get",
  path: "/api/tags",
  operationId: "listOllamaModels",
  summary: "Every model",
  description: "Newest registered first, without those that are only there to be downloaded.",
  tag: "ollama",
  request: {},
  responses: {
    200: {
      description: "Every model",
      schema: z.object({ models: z.array(ollamaModelSchema) }),
      example: { models: [OLLAMA_EXAMPLES.model] },
    },
  },
  errors: [],
  handle: (c) => jsonList(c, ['{"models":', "}"], ollamaModels(c.get("caller"), isOllamaProgram(c))),
});

async function* ollamaModels(
  { models, files }: GuardedRegistry,
  needsDigest: boolean,
): AsyncGenerator<object, undefined> {
  let cursor: string | null = null;
  do {
    // In the order of registration nothing moves while the list is read.
    const page = await models.list({ filter: { availability: { ne: "downloadable" } }, limit: 1000, cursor });
    const filesOf = await files.listMany(page.items.map(({ modelId }) => modelId));
    for (const model of page.items) {
      yield toOllamaModel(model, filesOf.get(model.modelId) ?? [], needsDigest);
    }
    cursor = page.nextCursor;
  } while (cursor !== null);
}
