import { type GuardedRegistry, type Model, RegistryError } from "@cortex/model-db";
import type { z } from "zod";

import { invalidInput } from "../../request/invalid-input.ts";
import type { ollamaNameSchema } from "../../schemas/ollama.ts";

const LATEST = ":latest";

/**
 * The model that a client of Ollama means: there, a name without a tag is the same as with `:latest`, and some
 * clients complete it so. Where there is no such name, the other one is meant.
 *
 * @throws RegistryError `model_not_found` in Ollama's words, which clients look for; `invalid_input`.
 */
export async function findModel({ models }: Pick<GuardedRegistry, "models">, name: string): Promise<Model> {
  const other = otherName(name);
  const found =
    (await models.findByName(name)) ?? (other === undefined ? undefined : await models.findByName(other));
  if (found === undefined) throw new RegistryError("model_not_found", `model '${name}' not found`);
  return found;
}

// With `:latest` and without; `undefined` for a name with another tag.
function otherName(name: string): string | undefined {
  if (name.endsWith(LATEST)) return name.slice(0, -LATEST.length) || undefined;
  return name === "" || name.slice(name.lastIndexOf("/") + 1).includes(":") ? undefined : name + LATEST;
}

/** The name in a body: `model`, or the older `name`. @throws RegistryError `invalid_input` */
export function nameIn({ model, name }: z.output<typeof ollamaNameSchema>): string {
  const wanted = model || name;
  if (!wanted) throw invalidInput("model", "model is required");
  return wanted;
}
