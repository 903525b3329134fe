import { link, lstat, realpath, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

import { RegistryError, toVisible, type ModelFile } from "@cortex/model-db";

import { PARTIAL_SUFFIX } from "../download/partial-file.ts";
import { chooseFolder } from "../folders/choose-folder.ts";
import { copyFile } from "../folders/copy-file.ts";
import { deviceOf } from "../folders/device-of.ts";
import {
  makeFolderDurably,
  makeNewFolder,
  nameDurably,
  NO_LINKS,
  syncFolder,
} from "../folders/durable-folder.ts";
import type { ModelsFolder } from "../folders/models-folder.ts";
import { placeInFolder } from "../folders/place-in-folder.ts";
import { safePath } from "../safe-path.ts";
import { toRecorded, type HashedFile, type HashingOptions } from "./hash-model.ts";
import { isSameFile, LocalFile, stampOf } from "./local-file.ts";

/** How a model's files come into a models folder. */
export type PlacingWay = "copy" | "move" | "hardlink";

/** The files of one model in a models folder; what is not kept goes again at the end of its scope. */
export class Placement implements AsyncDisposable {
  readonly #folder: string;
  readonly #files: ModelFile[] = [];
  readonly #written = new Set<string>();
  #isKept = false;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Copies or links files into a new folder of a models folder: all of them, on the disk, or none.
   *
   * @param folders of which the first with room is taken, for links one on the same file system.
   * @param name of the new folder; with a number behind it where that is taken.
   * @throws RegistryError `disk_full`, `read_only`, `checksum_mismatch` where a file changes meanwhile,
   *   `invalid_input` where links are wanted and no models folder is on the files' file system.
   */
  static async create(
    files: readonly HashedFile[],
    way: PlacingWay,
    folders: readonly ModelsFolder[],
    name: string,
    options: HashingOptions,
  ): Promise<Placement> {
    for (const { path } of files) safePath(basename(path));
    if (way === "move") await refuseLinks(files);
    const linkable = way === "copy" ? undefined : await folderOfSameDevice(folders, files);
    if (linkable !== undefined) {
      const placement = new Placement(await newFolder(linkable, name));
      if (await placement.#linkAll(files, options)) return placement;
      await placement[Symbol.asyncDispose]();
    }
    if (way === "hardlink") {
      throw new RegistryError(
        "invalid_input",
        `${toVisible(files[0]!.path)} cannot be linked into a models folder: none that can be written is on its file system, or its owner is somebody else. Use --copy.`,
      );
    }
    const neededBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const placement = new Placement(await newFolder(await chooseFolder(folders, neededBytes), name));
    try {
      await placement.#copyAll(files, neededBytes, options);
      return placement;
    } catch (error) {
      await placement[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** As they are to be recorded. */
  get files(): readonly ModelFile[] {
    return this.#files;
  }

  /** Says that they are registered. */
  keep(): void {
    this.#isKept = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isKept) return;
    for (const path of this.#written) await rm(path, { force: true });
    // Only what is empty goes.
    await rmdir(this.#folder).catch(() => undefined);
  }

  /** @returns `false` where the file system knows no links. */
  async #linkAll(files: readonly HashedFile[], { within }: HashingOptions): Promise<boolean> {
    try {
      for (const file of files) await this.#link(file, within);
      await syncFolder(this.#folder);
      return true;
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      // One file system can be mounted twice.
      if (NO_LINKS.has(code) || code === "EXDEV") return false;
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #link(hashed: HashedFile, within: readonly string[] | undefined): Promise<void> {
    await using file = await LocalFile.open(hashed.path, within);
    const place = join(this.#folder, basename(hashed.path));
    // A link to a link would lead nowhere once that is gone.
    await link(await realpath(hashed.path), place);
    this.#written.add(place);
    const linked = stampOf(await lstat(place, { bigint: true }));
    if (!isSameFile(linked, file.stamp) || !isSameFile(linked, hashed.stamp)) throw changed(hashed.path);
    await file.checkUnchanged();
    this.#add(hashed, place);
  }

  // They have their names only when all are whole: what a crash leaves behind can be told by its own.
  async #copyAll(
    files: readonly HashedFile[],
    totalBytes: number,
    { within, signal, onProgress }: HashingOptions,
  ): Promise<void> {
    let doneBytes = 0;
    for (const { path, sha256 } of files) {
      await using file = await LocalFile.open(path, within);
      const partial = `${join(this.#folder, basename(path))}${PARTIAL_SUFFIX}`;
      this.#written.add(partial);
      await copyFile(file.handle, partial, sha256, {
        signal,
        onBytes: (bytes) => onProgress?.({ path, doneBytes: (doneBytes += bytes), totalBytes }),
      });
    }
    for (const hashed of files) {
      const place = join(this.#folder, basename(hashed.path));
      await nameDurably(`${place}${PARTIAL_SUFFIX}`, place);
      this.#written.add(place);
      this.#add(hashed, place);
    }
  }

  #add(hashed: HashedFile, place: string): void {
    this.#files.push(toRecorded({ ...hashed, path: place }, pathToFileURL(hashed.path).href));
  }
}

/**
 * Takes away what was moved, now that it is elsewhere: only what is still the file that was read.
 *
 * @returns the paths of what could not be taken away.
 */
export async function removeOriginals(files: readonly HashedFile[]): Promise<string[]> {
  const left: string[] = [];
  for (const { path, stamp } of files) {
    try {
      if (!isSameFile(stampOf(await lstat(path, { bigint: true })), stamp)) throw changed(path);
      await rm(path);
      await syncFolder(dirname(path));
    } catch {
      left.push(path);
    }
  }
  return left;
}

// What would be taken away is the link, and what stays is the file.
async function refuseLinks(files: readonly HashedFile[]): Promise<void> {
  for (const { path } of files) {
    if (!(await lstat(path)).isSymbolicLink()) continue;
    throw new RegistryError(
      "invalid_input",
      `${toVisible(path)} is a link, which cannot be moved. Name the file that it leads to, or use --copy.`,
    );
  }
}

async function newFolder(folder: ModelsFolder, name: string): Promise<string> {
  for (let number = 1; ; number++) {
    const place = await placeInFolder(folder, `imported/${number === 1 ? name : `${name}-${number}`}`);
    await makeFolderDurably(dirname(place));
    if (await makeNewFolder(place)) return place;
  }
}

async function folderOfSameDevice(
  folders: readonly ModelsFolder[],
  files: readonly HashedFile[],
): Promise<ModelsFolder | undefined> {
  const devices = new Set(files.map(({ stamp }) => stamp.identity.split(":")[0]));
  for (const folder of folders) {
    if (!folder.isWritable) continue;
    const device = await deviceOf(folder.path);
    if (devices.size === 1 && devices.has(`${device}`)) return folder;
  }
  return undefined;
}

function changed(path: string): RegistryError {
  return new RegistryError("io_error", `${toVisible(path)} changed meanwhile. Import it again.`);
}
