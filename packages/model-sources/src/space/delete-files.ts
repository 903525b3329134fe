import { unlinkSync } from "node:fs";
import { dirname } from "node:path";

import type { Repositories } from "@cortex/model-db";

import type { ModelsFolder } from "../folders/models-folder.ts";
import { folderOf } from "../folders/place-in-folder.ts";
import { removeEmptyFolders } from "../folders/remove-empty-folders.ts";
import { fileOnDisk, type FileOnDisk } from "./file-on-disk.ts";
import type { GoingFile } from "./holdings.ts";
import { unfinishedTransfers } from "./unfinished-transfers.ts";
import { whyNotOurs } from "./written-by-us.ts";

/** What came of deleting files. */
export interface DeletedFiles {
  readonly paths: readonly string[];
  readonly freedBytes: number;
  /** Files that stay after all, and why: the end of a sentence that begins with the path. */
  readonly kept: readonly { readonly path: string; readonly why: string }[];
}

/**
 * Deletes files of models that are recorded as not being here any more, after a last look at each: whether it is still
 * the file that was meant, and still ours; whether nobody has it or fetches it by now. Call it in a transaction,
 * so that nobody can begin to meanwhile. Folders that are empty then go, too.
 */
export async function deleteFiles(
  repositories: Repositories,
  folders: readonly ModelsFolder[],
  files: readonly GoingFile[],
): Promise<DeletedFiles> {
  const paths: string[] = [];
  const kept: { path: string; why: string }[] = [];
  let freedBytes = 0;
  for (const file of files) {
    const { path, onDisk: planned } = file.held;
    const [onDisk, place] = await Promise.all([fileOnDisk(path), folderOf(folders, path)]);
    const why =
      whyNotOurs({ ...file.held, onDisk, folder: place?.folder }) ??
      (isSame(onDisk, planned) ? undefined : "is another file by now") ??
      (await whoWantsIt(repositories, file));
    if (why !== undefined) {
      kept.push({ path, why });
      continue;
    }
    unlinkSync(path);
    paths.push(path);
    if (onDisk!.names === 1) freedBytes += onDisk!.usedBytes;
    await removeEmptyFolders(place!.folder.path, dirname(path));
  }
  return { paths, freedBytes, kept };
}

// A number that a deleted file had is given to the next.
function isSame(a: FileOnDisk | undefined, b: FileOnDisk | undefined): boolean {
  return a?.contentId === b?.contentId && a?.writtenAt === b?.writtenAt;
}

async function whoWantsIt(
  repositories: Repositories,
  { held, holders }: GoingFile,
): Promise<string | undefined> {
  const recorded = await repositories.files.listAt([held.file.path, held.path]);
  for (const modelId of new Set([...holders, ...recorded.map((file) => file.modelId)])) {
    const model = await repositories.models.find(modelId);
    if (model?.availability === "present" || model?.availability === "partial")
      return `is a file of ${modelId}`;
    if ((await unfinishedTransfers(repositories, modelId)) > 0) return `is being fetched for ${modelId}`;
  }
  return undefined;
}
