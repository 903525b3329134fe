import { EVENT_KINDS, type EventKind, type Registry } from "@cortex/model-db";

import { oneOf } from "./one-of.ts";

/** The kinds of events that `--kind` names, once or several times. */
export function toKinds(words: readonly string[] | undefined): EventKind[] | undefined {
  return words?.map((word) => oneOf("--kind", word, EVENT_KINDS));
}

/** The id whose history a word means: that of the model it names, else itself, for models that are gone. */
export async function toModelId(registry: Registry, name: string): Promise<string> {
  const model = await registry.models.findByName(name);
  return model?.modelId ?? name;
}
