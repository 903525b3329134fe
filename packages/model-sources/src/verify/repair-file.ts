import { constants, type Stats } from "node:fs";
import { copyFile, link, lstat, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

import { isRegistryError, type ModelFile, type Registry } from "@cortex/model-db";
import { syncPath } from "@cortex/model-db/durable-files";
import { lockFile } from "@cortex/model-db/file-lock";

import { downloadFile } from "../download/download-file.ts";
import { PARTIAL_SUFFIX } from "../download/partial-file.ts";
import type { ModelsFolder } from "../folders/models-folder.ts";
import { folderOf, placeInFolder } from "../folders/place-in-folder.ts";
import type { Hub } from "../hub/hub.ts";
import { recordedPath } from "../recorded-path.ts";
import { fileOnDisk } from "../space/file-on-disk.ts";
import { unfinishedTransfers } from "../space/unfinished-transfers.ts";
import { hashFile, type HashOptions } from "./hash-file.ts";
import type { FileState } from "./verify-file.ts";

/** What repairing needs. */
export interface RepairTools {
  readonly hub: Pick<Hub, "http">;
  readonly folders: readonly ModelsFolder[];
}

/** What has come of repairing a file: where the good content came from, or why there is none. */
export type RepairOutcome =
  | { readonly isRepaired: true; readonly from: string; readonly how: "linked" | "copied" | "fetched" }
  /** `why` is the end of a sentence that begins with the path. */
  | { readonly isRepaired: false; readonly why: string };

/** What a good file is called until it takes the place of the bad one; a copy of it ends in `.partial`, too. */
export const REPAIR_SUFFIX = ".cortex-repair";
/** What becomes of a file that somebody has written to: it may be wanted. */
const ASIDE_SUFFIX = ".before-repair";

/**
 * Makes this the only process that repairs files of a registry.
 *
 * @throws RegistryError `database_busy` where another one does.
 */
export function lockRepairs(location: string): Disposable {
  return lockFile(
    `${location}.repairing`,
    (holder) => `${holder} repairs files of this registry. Try again when it is done.`,
  );
}

/**
 * Puts good content in the place of a file of ours that is damaged or gone: that of another file of the registry
 * with the same digest, as a hard link where the disk allows it, else what is fetched again. The bad file stays
 * until the good one is beside it, whole, verified and on the disk. A file that we have not written stays as it is.
 *
 * @param state as it was found.
 * @throws what the signal was aborted with.
 */
export async function repairFile(
  registry: Registry,
  { hub, folders }: RepairTools,
  modelId: string,
  file: ModelFile,
  state: FileState,
  options: HashOptions,
): Promise<RepairOutcome> {
  const path = recordedPath(registry.location, file.path);
  const place = await folderOf(folders, path);
  const why = (await whyNot(registry, modelId, file, path)) ?? whyNoPlace(place?.folder);
  if (why !== undefined || place === undefined) return { isRepaired: false, why: why! };
  await mkdir(dirname(await placeInFolder(place.folder, place.relativePath)), { recursive: true });
  let repaired = `${path}${REPAIR_SUFFIX}${PARTIAL_SUFFIX}`;
  const local = await copyOf(registry, file, path, repaired, options);
  if (local === undefined) {
    repaired = `${path}${REPAIR_SUFFIX}`;
    if (!/^https?:/.test(file.source!))
      return { isRepaired: false, why: `is nowhere else: ${file.source!} cannot be fetched` };
    try {
      await downloadFile({
        file: {
          url: file.source!,
          sizeBytes: file.sizeBytes!,
          sha256: file.sha256,
          gitSha1: null,
          etag: null,
        },
        folder: place.folder,
        path: `${place.relativePath}${REPAIR_SUFFIX}`,
        http: hub.http,
        signal: options.signal,
      });
    } catch (error) {
      if (!isRegistryError(error)) throw error;
      return { isRepaired: false, why: `could not be fetched again: ${error.message}` };
    }
  }
  if (state === "changed") await link(path, `${path}${ASIDE_SUFFIX}`);
  await rename(repaired, path);
  syncPath(dirname(path));
  return { isRepaired: true, ...(local ?? { from: file.source!, how: "fetched" }) };
}

async function whyNot(
  registry: Registry,
  modelId: string,
  file: ModelFile,
  path: string,
): Promise<string | undefined> {
  if (file.source === null) return "was not written by cortex, so that it is not touched";
  if (file.sha256 === null || file.sizeBytes === null)
    return "has no recorded SHA-256 and size to be restored to";
  if ((await lstatOf(path))?.isSymbolicLink() === true) return "is a link, where cortex had written a file";
  if ((await lstatOf(`${path}${ASIDE_SUFFIX}`)) !== undefined)
    return `stays until ${path}${ASIDE_SUFFIX} from an earlier repair is moved away or deleted`;
  if ((await unfinishedTransfers(registry, modelId)) > 0) return "is being fetched";
  return undefined;
}

function whyNoPlace(folder: ModelsFolder | undefined): string | undefined {
  if (folder === undefined) return "lies in no models folder, so that it is not touched";
  return folder.isWritable ? undefined : "lies in a models folder that is read-only";
}

async function lstatOf(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(() => undefined);
}

/** Makes the good content from another file of the registry. @returns where it came from, and how */
async function copyOf(
  { files, location }: Registry,
  { sha256, sizeBytes }: ModelFile,
  path: string,
  to: string,
  options: HashOptions,
): Promise<{ from: string; how: "linked" | "copied" } | undefined> {
  const bad = await fileOnDisk(path);
  const seen = new Set([bad?.contentId]);
  for (const { path: other } of await files.listWithContent([sha256!])) {
    const from = await fileOnDisk(recordedPath(location, other));
    // Another name of the bad bytes is as bad.
    if (from === undefined || from.sizeBytes !== sizeBytes || seen.has(from.contentId)) continue;
    seen.add(from.contentId);
    const how = await linkOrCopy(from.realPath, to);
    if (how !== undefined && (await hashFile(to, options)).sha256 === sha256)
      return { from: from.realPath, how };
    await rm(to, { force: true });
  }
  return undefined;
}

async function linkOrCopy(from: string, to: string): Promise<"linked" | "copied" | undefined> {
  // What an earlier try has left.
  await rm(to, { force: true });
  try {
    await link(from, to);
    return "linked";
  } catch {
    // Another disk, or one without hard links.
  }
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await using file = await open(to, "r+");
    await file.sync();
    return "copied";
  } catch (error) {
    await rm(to, { force: true });
    const { code = "" } = error as NodeJS.ErrnoException;
    // It cannot be read, or there is no room: perhaps the next can, or it is fetched.
    if (code === "EACCES" || code === "EPERM" || code === "EIO" || code === "ENOSPC") return undefined;
    throw error;
  }
}
