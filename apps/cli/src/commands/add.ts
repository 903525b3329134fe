import { checkNewModel } from "@cortex/model-db";

import type { Everywhere } from "../everywhere.ts";
import { toModelFields, type ModelFlags } from "../model-flags.ts";
import { openOrCreate } from "../open.ts";
import { printChanged } from "../output/changed.ts";

/** Records a model; the first one makes the registry. */
export async function add(options: Everywhere & ModelFlags & { readonly modelId: string }): Promise<void> {
  const wanted = { sourceType: "local" as const, ...toModelFields(options), modelId: options.modelId };
  // Before the registry is opened, which may make one.
  checkNewModel(wanted);
  await using registry = await openOrCreate(options);
  const model = await registry.models.create(wanted);
  const alias = model.alias === null || model.alias === model.modelId ? "" : ` as ${model.alias}`;
  printChanged(model, `Added ${model.modelId}${alias}`, options);
}
