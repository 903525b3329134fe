import type { Model } from "@cortex/model-db";

/** What a person calls a model: its alias, else its id. Either means it wherever a name is asked for. */
export function shortNameOf({ alias, modelId }: Pick<Model, "alias" | "modelId">): string {
  return alias ?? modelId;
}
