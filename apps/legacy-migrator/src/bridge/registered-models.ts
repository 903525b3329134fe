import type { Model, Models } from "@cortex/model-db";

import { twinId } from "../legacy/canonical-id.ts";

/** The models of a registry at one moment, found by the id that a file knows them by. */
export class RegisteredModels {
  /** In the order of their registration. */
  readonly all: readonly Model[];
  readonly #byId: ReadonlyMap<string, Model>;

  constructor(all: readonly Model[]) {
    this.all = all;
    this.#byId = new Map(all.map((model) => [model.modelId, model]));
  }

  /** The model of an id, in the spelling of either old store. */
  find(modelId: string): Model | undefined {
    const model = this.#byId.get(modelId);
    if (model !== undefined) return model;
    const twin = twinId(modelId);
    return twin === undefined ? undefined : this.#byId.get(twin);
  }
}

/** Reads all models. */
export async function readRegisteredModels(models: Models): Promise<RegisteredModels> {
  const all: Model[] = [];
  for await (const model of models.all()) all.push(model);
  // The list begins with the newest.
  return new RegisteredModels(all.toReversed());
}
