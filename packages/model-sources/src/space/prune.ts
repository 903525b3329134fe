import { unlink } from "node:fs/promises";

import { MODEL_STATUS, type Registry, type Repositories } from "@cortex/model-db";

import { discardPartial, PARTIAL_SUFFIX } from "../download/partial-file.ts";
import type { ModelsFolder } from "../folders/models-folder.ts";
import { lockRepairs } from "../verify/repair-file.ts";
import { deleteFiles, type DeletedFiles } from "./delete-files.ts";
import { fileOnDisk } from "./file-on-disk.ts";
import type { GoingFile } from "./holdings.ts";
import { orphanedPartials } from "./orphaned-partials.ts";
import type { PartialFile } from "./partial-files.ts";
import type { GoingModel, PrunePlan } from "./plan-prune.ts";
import { unfinishedTransfers } from "./unfinished-transfers.ts";

/** What came of pruning. */
export interface PruneReport extends DeletedFiles {
  /** The models that are recorded as `downloadable` now. */
  readonly modelIds: readonly string[];
  /** Models that stay after all, and why. */
  readonly keptModels: readonly { readonly modelId: string; readonly why: string }[];
}

/**
 * Deletes what a plan names, as far as it still may. A model is recorded as `downloadable` before its files go: if
 * that is cut off in between, no record says that something is here which is gone, and the next time finds what is
 * left.
 *
 * @param signal ends it between two models.
 */
export async function prune(
  registry: Registry,
  folders: readonly ModelsFolder[],
  plan: PrunePlan,
  signal?: AbortSignal,
): Promise<PruneReport> {
  const report = {
    paths: [] as string[],
    freedBytes: 0,
    kept: [] as { path: string; why: string }[],
    modelIds: [] as string[],
    keptModels: [] as { modelId: string; why: string }[],
  };
  const add = ({ paths, freedBytes, kept }: DeletedFiles): void => {
    report.paths.push(...paths);
    report.freedBytes += freedBytes;
    report.kept.push(...kept);
  };
  const remove = async (files: readonly GoingFile[]): Promise<void> =>
    add(await registry.transaction((repositories) => deleteFiles(repositories, folders, files)));

  if (plan.partials.length > 0) add(await deletePartials(registry, folders, plan.partials));
  if (plan.leftovers.length > 0) await remove(plan.leftovers);
  for (const model of plan.models) {
    signal?.throwIfAborted();
    const why = await registry.transaction((repositories) => recordAsGone(repositories, model));
    if (why === undefined) report.modelIds.push(model.modelId);
    else report.keptModels.push({ modelId: model.modelId, why });
    if (why === undefined && model.files.length > 0) await remove(model.files);
  }
  return report;
}

/** Records that a model's files can be fetched but are not here. @returns why not, where it is not to be done any more */
async function recordAsGone(
  repositories: Repositories,
  { modelId, usedAt }: GoingModel,
): Promise<string | undefined> {
  const { models } = repositories;
  const model = await models.find(modelId);
  if (model === undefined) return "it is no longer registered";
  if (model.pinned) return "it has been pinned";
  if (model.status === MODEL_STATUS.RUNNING) return "it is running";
  if ((model.lastUsedAt ?? 0) > usedAt) return "it was used meanwhile";
  if ((await unfinishedTransfers(repositories, modelId)) > 0) return "it is being fetched";
  await models.update(modelId, { availability: "downloadable" });
  return undefined;
}

async function deletePartials(
  registry: Registry,
  folders: readonly ModelsFolder[],
  partials: readonly PartialFile[],
): Promise<DeletedFiles> {
  // What a repair is just fetching is no remains.
  using _ = lockRepairs(registry.location);
  return await registry.transaction(async (repositories) => {
    const { orphans } = await orphanedPartials(repositories, folders);
    const still = new Map(orphans.map((partial) => [partial.path, partial]));
    const paths: string[] = [];
    const kept: { path: string; why: string }[] = [];
    let freedBytes = 0;
    for (const { path, onDisk } of partials) {
      const now = still.get(path);
      if (now?.onDisk.contentId !== onDisk.contentId) {
        if ((await fileOnDisk(path)) !== undefined) kept.push({ path, why: "is being fetched" });
        continue;
      }
      if (path.endsWith(PARTIAL_SUFFIX)) await discardPartial(path.slice(0, -PARTIAL_SUFFIX.length));
      else await unlink(path);
      paths.push(path);
      if (now.onDisk.names === 1) freedBytes += now.onDisk.usedBytes;
    }
    return { paths, freedBytes, kept };
  });
}
