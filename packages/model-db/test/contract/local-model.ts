import type { NewModel } from "../../src/index.ts";

/** A model with an id, no alias of its own, and whatever a test needs beside. */
export function localModel(modelId: string, more: Partial<NewModel> = {}): NewModel {
  return { modelId, sourceType: "local", alias: null, ...more };
}
