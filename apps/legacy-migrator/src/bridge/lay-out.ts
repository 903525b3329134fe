import type { Model } from "@cortex/model-db";

import { rowProblem, toListRow, type ListRow } from "./list-row.ts";
import type { RegisteredModels } from "./registered-models.ts";

/** What the file is to hold. */
export interface Layout {
  readonly rows: readonly ListRow[];
  /** Models that a line cannot hold, and why, as the end of a sentence. */
  readonly leftOut: ReadonlyMap<string, string>;
}

/**
 * Lays out the file: the models that it has in the order in which they stand there, then the others in
 * the order of their registration.
 *
 * @param order the ids of the file's lines, as it spells them.
 */
export function layOut(ours: RegisteredModels, order: readonly string[]): Layout {
  const rows: ListRow[] = [];
  const leftOut = new Map<string, string>();
  const done = new Set<Model>();
  const add = (model: Model | undefined, modelId: string): void => {
    if (model === undefined || done.has(model)) return;
    done.add(model);
    const row = toListRow(model, modelId);
    const problem = rowProblem(row);
    if (problem === undefined) rows.push(row);
    else leftOut.set(model.modelId, problem);
  };
  for (const modelId of order) add(ours.find(modelId), modelId);
  for (const model of ours.all) add(model, model.modelId);
  return { rows, leftOut };
}
