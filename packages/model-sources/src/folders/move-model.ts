import { rm } from "node:fs/promises";
import { dirname, isAbsolute, resolve } from "node:path";

import {
  formatSize,
  MODEL_STATUS,
  RegistryError,
  toVisible,
  type Model,
  type ModelFile,
  type Registry,
} from "@cortex/model-db";

import { recordedPath, seenFrom } from "../recorded-path.ts";
import { fileOnDisk, type FileOnDisk } from "../space/file-on-disk.ts";
import { unfinishedTransfers } from "../space/unfinished-transfers.ts";
import { whyNotOurs } from "../space/written-by-us.ts";
import { freeBytes } from "./choose-folder.ts";
import { deviceOf } from "./device-of.ts";
import { syncFolder } from "./durable-folder.ts";
import { leftBehind } from "./left-behind.ts";
import type { ModelsFolder } from "./models-folder.ts";
import { movedYml } from "./moved-yml.ts";
import { folderOf, placeInFolder } from "./place-in-folder.ts";
import { putFile, putNewText } from "./put-file.ts";
import { removeEmptyFolders } from "./remove-empty-folders.ts";

/** How a model is moved. */
export interface MoveOptions {
  /** The models folders, as `modelFolders` gives them. */
  readonly folders: readonly ModelsFolder[];
  /** Only look what would be moved. */
  readonly dryRun?: boolean | undefined;
  /** Ends it: the model is where it was, or where it goes, and the next move takes away what is left over. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each piece that is copied: how many bytes. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** What came of a move. */
export interface MovedModel {
  readonly model: Model;
  /** Of its files, as they were and as they are; none where all were there already. */
  readonly files: readonly { readonly from: string; readonly to: string }[];
  /** What an earlier move, which was interrupted, had left in the old place, and is gone now. */
  readonly leftOver: readonly string[];
  /** Bytes that were copied, or would be: on one file system nothing is. */
  readonly copiedBytes: number;
}

interface MovingFile {
  readonly file: ModelFile;
  readonly from: string;
  readonly to: string;
  readonly onDisk: FileOnDisk;
  /** The models folder that it leaves. */
  readonly root: string;
  /** Whether other models have it too: then it stays, and is there twice. */
  readonly isShared: boolean;
}

/**
 * Moves the files of a model to another models folder, below which they are called the same. Whatever happens
 * meanwhile, the registry names files that are whole: first they are put in the new place and through to the disk, by
 * a link on one file system and by a copy that is compared otherwise, then recorded, and only then taken from the old.
 * A move that was interrupted is finished by the same move again.
 *
 * @param target one of the folders.
 * @throws RegistryError `model_not_found`, `model_running`; `invalid_input` for what is no models folder, and while the
 *   model is being fetched; `permission_denied` for files that are not ours; `read_only`, `disk_full`, `name_taken`,
 *   `checksum_mismatch`; `row_version_mismatch` where somebody changed the model meanwhile.
 */
export async function moveModel(
  registry: Registry,
  name: string,
  target: string,
  options: MoveOptions,
): Promise<MovedModel> {
  const { folders, dryRun = false, signal } = options;
  const folder = findFolder(folders, target);
  const model = await registry.models.resolve(name);
  await checkIdle(registry, model);
  const recorded = await registry.files.list(model.modelId);
  const files = await findFiles(registry, model, recorded, folders, folder);
  const leftOver = files.length > 0 ? [] : await leftBehind(registry, model.modelId, recorded, folders);
  const copied = await bytesToCopy(files, folder);
  const free = await freeBytes(folder.path);
  if (copied > free) {
    throw new RegistryError(
      "disk_full",
      `${formatSize(copied)} are to be copied to ${toVisible(folder.path)}, ${formatSize(copied - free)} more than it has room for. Free some space there.`,
    );
  }
  const moves = files.map(({ from, to }) => ({ from, to }));
  const done = { files: moves, leftOver: leftOver.map(({ path }) => path), copiedBytes: copied };
  if (dryRun) return { model, ...done };
  for (const left of leftOver) await takeAway(left.path, left.root, left.onDisk);
  if (files.length === 0) return { model, ...done };
  const placed: string[] = [];
  let moved: Model;
  try {
    const put: ModelFile[] = [];
    for (const moving of files) {
      signal?.throwIfAborted();
      const { file, isNew } = await putInPlace(moving, moves, registry.location, options);
      put.push(file);
      if (isNew) placed.push(moving.to);
    }
    moved = await record(registry, model, files, put);
  } catch (error) {
    await takeBack(registry, model.modelId, placed, folder);
    throw error;
  }
  for (const { from, root, onDisk, isShared } of files) if (!isShared) await takeAway(from, root, onDisk);
  return { model: moved, ...done };
}

function findFolder(folders: readonly ModelsFolder[], target: string): ModelsFolder {
  const folder = folders.find(({ path }) => path === resolve(target));
  const known = folders.map(({ path }) => toVisible(path)).join(", ");
  if (folder === undefined) {
    throw new RegistryError(
      "invalid_input",
      `${toVisible(target)} is none of the models folders: ${known}. CORTEX_MODELS names them.`,
    );
  }
  if (folder.isWritable) return folder;
  throw new RegistryError("read_only", `The models folder ${toVisible(folder.path)} is read-only.`);
}

async function checkIdle(registry: Registry, { modelId, status }: Model): Promise<void> {
  if (status === MODEL_STATUS.RUNNING) throw running(modelId);
  if ((await unfinishedTransfers(registry, modelId)) === 0) return;
  throw new RegistryError(
    "invalid_input",
    `${toVisible(modelId)} is being fetched. Wait until it is here, or cancel that: cortex transfer.`,
  );
}

function running(modelId: string): RegistryError {
  return new RegistryError("model_running", `${toVisible(modelId)} is running.`);
}

/** The files that are not in the target yet; all of them must be ours. */
async function findFiles(
  registry: Registry,
  { modelId }: Model,
  recorded: readonly ModelFile[],
  folders: readonly ModelsFolder[],
  target: ModelsFolder,
): Promise<MovingFile[]> {
  if (recorded.length === 0) {
    throw new RegistryError("invalid_input", `No files are recorded of ${toVisible(modelId)}.`);
  }
  const others = await registry.files.listAt(recorded.map(({ path }) => path));
  const shared = new Set(others.filter((file) => file.modelId !== modelId).map(({ path }) => path));
  const files: MovingFile[] = [];
  for (const file of recorded) {
    const from = recordedPath(registry.location, file.path);
    const [onDisk, place] = await Promise.all([fileOnDisk(from), folderOf(folders, from)]);
    const why = whyNotOurs({ file, path: from, onDisk, folder: place?.folder });
    if (why !== undefined) {
      throw new RegistryError(
        "permission_denied",
        `${toVisible(from)} ${why}. Only files that cortex has written into a models folder are moved.`,
      );
    }
    if (place!.folder.path === target.path) continue;
    const to = await placeInFolder(target, place!.relativePath);
    const isShared = shared.has(file.path);
    files.push({ file, from, to, onDisk: onDisk!, root: place!.folder.path, isShared });
  }
  return files;
}

async function bytesToCopy(files: readonly MovingFile[], target: ModelsFolder): Promise<number> {
  const device = `${await deviceOf(target.path)}`;
  return files
    .filter(({ onDisk }) => onDisk.contentId.split(":")[0] !== device)
    .reduce((sum, { onDisk }) => sum + onDisk.sizeBytes, 0);
}

/** Puts a file in its new place. @returns as it is to be recorded, and whether it was not there before */
async function putInPlace(
  { file, from, to }: MovingFile,
  moves: readonly { readonly from: string; readonly to: string }[],
  location: string,
  { signal, onBytes }: MoveOptions,
): Promise<{ readonly file: ModelFile; readonly isNew: boolean }> {
  const path = asRecorded(file.path, to, location);
  const yml = file.role === "config" ? await movedYml(from, dirname(location), moves) : undefined;
  if (yml !== undefined) {
    const isNew = await putNewText(to, yml);
    return { file: { ...file, path, sha256: null, sizeBytes: null, verifiedAt: null }, isNew };
  }
  const { isCopied, isNew } = await putFile(from, to, file.sha256, { signal, onBytes });
  const verifiedAt = isCopied && file.sha256 !== null ? Date.now() : file.verifiedAt;
  return { file: { ...file, path, verifiedAt }, isNew };
}

/** Removes what a move has put in the new place that came to nothing, unless the registry has it there. */
async function takeBack(
  registry: Registry,
  modelId: string,
  placed: readonly string[],
  folder: ModelsFolder,
): Promise<void> {
  const recorded = await registry.files.list(modelId).catch(() => []);
  const kept = new Set(recorded.map(({ path }) => recordedPath(registry.location, path)));
  for (const path of placed) {
    if (kept.has(path)) continue;
    await rm(path, { force: true });
    await removeEmptyFolders(folder.path, dirname(path));
  }
}

// A path that was recorded as relative stays so, where it can.
function asRecorded(before: string, to: string, location: string): string {
  return isAbsolute(before) ? to : seenFrom(dirname(location), to);
}

async function record(
  registry: Registry,
  model: Model,
  files: readonly MovingFile[],
  put: readonly ModelFile[],
): Promise<Model> {
  const { modelId, rowVersion, configPath } = model;
  return registry.transaction(async (repositories) => {
    const now = await repositories.models.get(modelId);
    if (now.status === MODEL_STATUS.RUNNING) throw running(modelId);
    const remove = files.map(({ file }) => file.path);
    await repositories.files.change(modelId, { remove, put }, { expectedRowVersion: rowVersion });
    const config = configPath === null ? undefined : recordedPath(registry.location, configPath);
    const moved = files.find(({ from }) => from === config);
    if (moved === undefined || configPath === null) return repositories.models.get(modelId);
    const path = asRecorded(configPath, moved.to, registry.location);
    return repositories.models.update(modelId, { configPath: path });
  });
}

/** Takes a file from its old place, if it is still the one that was moved. */
async function takeAway(path: string, root: string, known: FileOnDisk): Promise<void> {
  const now = await fileOnDisk(path);
  if (now?.contentId !== known.contentId) return;
  await rm(path);
  await syncFolder(dirname(path));
  await removeEmptyFolders(root, dirname(path));
}
