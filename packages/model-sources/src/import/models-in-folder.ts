import { join } from "node:path";

import { groupGgufFiles, type FileGroup, type GroupedFiles } from "../facts/group-files.ts";
import { readLocalModel, type LocalModel } from "./local-model.ts";
import { groupSafetensors, readSafetensorsFolder } from "./safetensors-folder.ts";

/** A model by the names of its files, which are not read yet. */
export interface ModelInFolder {
  /** Of its first file. */
  readonly path: string;
  /** No other model is in its folder. */
  readonly isAlone: boolean;
  /** @returns `undefined` where they are no model. */
  readonly read: () => Promise<LocalModel | undefined>;
}

/**
 * The models that the files of one folder are: a split one is one, and so is one of safetensors files with all that
 * runs it.
 *
 * @param folder absolute.
 * @param names of the files in it.
 * @param options.asked which files are meant, whatever their names look like; left out, all that look like models.
 * @param options.within as {@link LocalFile.open}.
 */
export function modelsInFolder(
  folder: string,
  names: readonly string[],
  { asked, within }: { asked?: readonly string[] | undefined; within?: readonly string[] | undefined } = {},
): ModelInFolder[] {
  const gguf = groupGgufFiles(names);
  const safetensors = groupSafetensors(names);
  const isAlone = gguf.groups.length + (safetensors === undefined ? 0 : 1) < 2;
  const groups =
    asked === undefined ? gguf.groups : asked.flatMap((name) => groupOf(name, gguf, safetensors));
  const models: ModelInFolder[] = groups.map((group) => ({
    path: join(folder, group.weights[0]!),
    isAlone,
    read: () => readLocalModel(folder, group, gguf, within),
  }));
  const isMeant = asked?.some((name) => safetensors?.weights.includes(name)) !== false;
  if (safetensors === undefined || !isMeant) return models;
  const read = (): Promise<LocalModel | undefined> =>
    readSafetensorsFolder(folder, safetensors, names, within);
  return [...models, { path: join(folder, safetensors.weights[0]!), isAlone, read }];
}

function groupOf(name: string, gguf: GroupedFiles, safetensors: FileGroup | undefined): FileGroup[] {
  if (safetensors?.weights.includes(name) === true) return [];
  return [gguf.groups.find(({ weights }) => weights.includes(name)) ?? { weights: [name], missingParts: [] }];
}
