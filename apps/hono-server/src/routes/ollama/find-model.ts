import { type GuardedRegistry, type Model, RegistryError } from "@cortex/model-db";
import type { z } from "zod";

import { invalidInput } from "../../request/invalid-input.ts";
import type { ollamaNameSchema } from "../../schemas/ollama.ts";

const LATEST = ":latest";

/**
 * The model that a client of Ollama means. They complete a name without a tag by `:latest`, so where
 * there is no such name, the one without it is meant.
 *
 * @throws RegistryError `model_not_found` in Ollama's words, which clients look for; `invalid_input`.
 */
export async function findModel({ models }: Pick<GuardedRegistry, "models">, name: string): Promise<Model> {
  const found =
    (await models.findByName(name)) ??
    (name.endsWith(LATEST) && name !== LATEST
      ? await models.findByName(name.slice(0, -LATEST.length))
      : undefined);
  if (found === undefined) throw new RegistryError("model_not_found", `model '${name}' not found`);
  return found;
}

/** The name in a body: `model`, or the older `name`. @throws RegistryError `invalid_input` */
export function nameIn({ model, name }: z.output<typeof ollamaNameSchema>): string {
  const wanted = model || name;
  if (!wanted) throw invalidInput("model", "model is required");
  return wanted;
}
