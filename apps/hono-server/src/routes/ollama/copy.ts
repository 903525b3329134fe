import type { Model, ModelFile, NewModel } from "@cortex/model-db";
import { z } from "zod";

import { route } from "../../route.ts";
import { findModel } from "./find-model.ts";

export const copyOllamaModel = route({
  method: "post",
  path: "/api/copy",
  operationId: "copyOllamaModel",
  summary: "A model of its own over the same files",
  description:
    "The copy has the destination as its id, no alias, and a history of its own; it stays when the source " +
    "is deleted. A destination that means another model is refused, never overwritten.",
  tag: "ollama",
  request: { body: z.object({ source: z.string(), destination: z.string() }), isAnyMediaType: true },
  responses: { 200: { description: "It is there" } },
  errors: ["model_not_found", "name_taken"],
  handle: async (c, { body: { source, destination } }) => {
    await c.get("caller").transaction(async (registry) => {
      const model = await findModel(registry, source);
      // To itself, a copy is there already.
      if ((await registry.models.findByName(destination))?.modelId === model.modelId) return;
      await registry.models.create(copyOf(model, await registry.files.list(model.modelId), destination));
    });
    return c.body(null, 200);
  },
});

// What is known of a model. Its names mean it alone; what ran and happened belongs to the source.
const FACTS = [
  "sourceType",
  "authorRepo",
  "branch",
  "configPath",
  "availability",
  "engine",
  "format",
  "architecture",
  "quantization",
  "parameterCount",
  "contextLength",
  "sizeBytes",
  "capabilities",
  "metadata",
  "tags",
  "notes",
] as const satisfies readonly (keyof Model & keyof NewModel)[];

function copyOf(source: Model, files: readonly ModelFile[], modelId: string): NewModel {
  const facts = Object.fromEntries(FACTS.map((name) => [name, source[name]])) as Pick<
    Model,
    (typeof FACTS)[number]
  >;
  return {
    ...facts,
    modelId,
    alias: null,
    files,
    // What nobody else sees stays so; any other copy is whose it is who makes it.
    ...(source.private ? { owner: source.owner, private: true } : {}),
  };
}
