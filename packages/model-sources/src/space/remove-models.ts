import { MODEL_STATUS, RegistryError, type Model, type Registry } from "@cortex/model-db";

import type { ModelsFolder } from "../folders/models-folder.ts";
import { deleteFiles, type DeletedFiles } from "./delete-files.ts";
import { Holdings, type GoingFile } from "./holdings.ts";
import { inventory } from "./inventory.ts";
import { whyNotOurs } from "./written-by-us.ts";

/** What goes when models are taken out of the registry with their files. */
export interface RemovalPlan {
  readonly models: readonly Model[];
  readonly files: readonly GoingFile[];
  /** Files that are there and stay, and why: the end of a sentence that begins with the path. */
  readonly kept: readonly { readonly path: string; readonly why: string }[];
  readonly freedBytes: number;
}

/** Looks which files of models are ours to delete and nobody else's. Nothing is changed. */
export async function planRemoval(
  registry: Registry,
  folders: readonly ModelsFolder[],
  models: readonly Model[],
): Promise<RemovalPlan> {
  const all = await Array.fromAsync(inventory(registry, registry.location, folders));
  const ids = new Set(models.map(({ modelId }) => modelId));
  const holdings = new Holdings(all);
  const files = [...ids].flatMap((modelId) => holdings.letGo(modelId));
  const going = new Set(files.map(({ held }) => held.onDisk?.realPath));
  const kept = all
    .filter(({ model }) => ids.has(model.modelId))
    .flatMap((held) => held.files)
    .filter(({ onDisk }) => onDisk !== undefined && !going.has(onDisk.realPath))
    .map((held) => ({ path: held.path, why: whyNotOurs(held) ?? "is also another model's" }));
  return { models, files, kept, freedBytes: files.reduce((sum, file) => sum + file.freedBytes, 0) };
}

/**
 * Takes models out of the registry, all or none, and deletes what a plan names, as far as it still may. They are
 * recorded as not being here first: where that is cut off, no record says that something is here which is gone.
 *
 * @throws RegistryError `model_running`, `model_not_found`.
 */
export async function removeModels(
  registry: Registry,
  folders: readonly ModelsFolder[],
  { models: planned, files: going }: RemovalPlan,
): Promise<DeletedFiles> {
  const holders = new Set(going.flatMap((file) => file.holders));
  await registry.transaction(async ({ models, files }) => {
    for (const { modelId } of planned) {
      const { status } = await models.get(modelId);
      if (status === MODEL_STATUS.RUNNING) throw new RegistryError("model_running", `${modelId} is running.`);
      if (!holders.has(modelId)) continue;
      const recorded = await files.list(modelId);
      const canBeFetched = recorded.every(({ source }) => source !== null && /^https?:/.test(source));
      await models.update(modelId, { availability: canBeFetched ? "downloadable" : "missing" });
    }
  });
  return registry.transaction(async (repositories) => {
    for (const { modelId } of planned) await repositories.models.delete(modelId);
    return deleteFiles(repositories, folders, going);
  });
}
