import { dirname } from "node:path";

import type { Model, ModelFile, Repositories } from "@cortex/model-db";

import { everyModel } from "../every-model.ts";
import type { ModelsFolder } from "../folders/models-folder.ts";
import { folderOf } from "../folders/place-in-folder.ts";
import { recordedPath } from "../recorded-path.ts";
import { fileOnDisk, type FileOnDisk } from "./file-on-disk.ts";

/** A recorded file, and what there is of it. */
export interface HeldFile {
  readonly file: ModelFile;
  /** Absolute. */
  readonly path: string;
  /** `undefined`: it is not there. */
  readonly onDisk: FileOnDisk | undefined;
  /** The models folder that it lies in. */
  readonly folder: ModelsFolder | undefined;
}

/** A model, and what there is of its files. */
export interface HeldModel {
  readonly model: Model;
  readonly files: readonly HeldFile[];
}

// As many questions as a disk answers at once.
const AT_A_TIME = 32;

/**
 * Every model of a registry, by id, with what there is of its files.
 *
 * @param location of the registry's file.
 */
export async function* inventory(
  repositories: Pick<Repositories, "models" | "files">,
  location: string,
  folders: readonly ModelsFolder[],
): AsyncGenerator<HeldModel, undefined> {
  const look = new Look(location, folders);
  let ahead: Promise<HeldModel>[] = [];
  for await (const { model, files } of everyModel(repositories)) {
    ahead.push(look.at(model, files));
    if (ahead.length < AT_A_TIME) continue;
    yield* await Promise.all(ahead);
    ahead = [];
  }
  yield* await Promise.all(ahead);
}

/** What there is of the files of one model: see {@link inventory}. */
export async function heldModel(
  model: Model,
  files: readonly ModelFile[],
  location: string,
  folders: readonly ModelsFolder[],
): Promise<HeldModel> {
  return new Look(location, folders).at(model, files);
}

class Look {
  readonly #location: string;
  readonly #folders: readonly ModelsFolder[];
  // Many files lie beside each other.
  readonly #folderOf = new Map<string, Promise<ModelsFolder | undefined>>();

  constructor(location: string, folders: readonly ModelsFolder[]) {
    this.#location = location;
    this.#folders = folders;
  }

  async at(model: Model, files: readonly ModelFile[]): Promise<HeldModel> {
    return { model, files: await Promise.all(files.map((file) => this.#file(file))) };
  }

  async #file(file: ModelFile): Promise<HeldFile> {
    const path = recordedPath(this.#location, file.path);
    const onDisk = await fileOnDisk(path);
    const folder = onDisk === undefined ? undefined : await this.#folder(path);
    return { file, path, onDisk, folder };
  }

  #folder(path: string): Promise<ModelsFolder | undefined> {
    const parent = dirname(path);
    let folder = this.#folderOf.get(parent);
    if (folder === undefined) {
      folder = folderOf(this.#folders, path).then((found) => found?.folder);
      this.#folderOf.set(parent, folder);
    }
    return folder;
  }
}
