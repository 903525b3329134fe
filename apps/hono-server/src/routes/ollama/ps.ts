import type { GuardedRegistry, Run } from "@cortex/model-db";
import { z } from "zod";

import { jsonList } from "../../answer/json-list.ts";
import { route } from "../../route.ts";
import { OLLAMA_EXAMPLES } from "../../schemas/ollama-examples.ts";
import { ollamaRunningModelSchema, toOllamaRunningModel } from "../../schemas/ollama.ts";
import { isOllamaProgram } from "./ollama-program.ts";

const BATCH_LENGTH = 1000;

export const listOllamaRunningModels = route({
  method: "get",
  path: "/api/ps",
  operationId: "listOllamaRunningModels",
  summary: "The models that run, the one that does so longest first",
  tag: "ollama",
  request: {},
  responses: {
    200: {
      description: "The models that run",
      schema: z.object({ models: z.array(ollamaRunningModelSchema) }),
      example: { models: [OLLAMA_EXAMPLES.running] },
    },
  },
  errors: [],
  handle: (c) => jsonList(c, ['{"models":', "}"], runningModels(c.get("caller"), isOllamaProgram(c))),
});

async function* runningModels(
  { models, files, runs }: GuardedRegistry,
  needsDigest: boolean,
): AsyncGenerator<object, undefined> {
  // Of several leases on a model the one that holds longest counts.
  const longest = new Map<string, Run>();
  for (const run of (await runs.list()).toSorted((one, other) => other.expiresAt - one.expiresAt)) {
    if (!longest.has(run.modelId)) longest.set(run.modelId, run);
  }
  const modelIds = [...longest.keys()];
  for (let start = 0; start < modelIds.length; start += BATCH_LENGTH) {
    const batch = modelIds.slice(start, start + BATCH_LENGTH);
    const [found, filesOf] = await Promise.all([models.resolveMany(batch), files.listMany(batch)]);
    for (const modelId of batch) {
      const model = found.get(modelId);
      if (model === undefined) continue;
      yield toOllamaRunningModel(model, filesOf.get(modelId) ?? [], longest.get(modelId)!, needsDigest);
    }
  }
}
