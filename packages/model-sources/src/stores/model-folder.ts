import { posix } from "node:path";

import { LOCAL, type Found, type StoreName } from "./found-model.ts";
import { groupFiles, type NamedFile } from "./group-files.ts";
import { nameOfPartial, roleOf } from "./model-files.ts";
import type { Entry, StoreReader } from "./store-reader.ts";
import type { Store } from "./store.ts";

/** Any folder, however deep, with model files in it. */
export const modelFolder: Store = {
  name: "folder",
  places: () => [],
  isLaidOutIn: () => true,
  read: (root, reader) => readModelFolder(root, reader, "folder"),
};

/** Reads a folder of model files without further order, as several tools keep them. @param store whose it is. */
export async function* readModelFolder(
  root: string,
  reader: StoreReader,
  store: StoreName,
): AsyncGenerator<Found, undefined> {
  for await (const { entries } of reader.walk(root)) {
    for (const group of groupFiles(toNamedFiles(entries, reader))) {
      const name = group.name === "." ? posix.basename(root) : group.name;
      const modelId = name.split("/").slice(-3).join(":");
      yield { kind: "model", store, storePath: root, origin: LOCAL, ...group, name, modelId };
    }
    yield* reader.takeFindings();
  }
  yield* reader.takeFindings();
}

/** The files of a folder that may be of a model, as they are now. */
export function toNamedFiles(entries: readonly Entry[], reader: StoreReader): NamedFile[] {
  return entries.flatMap(({ path, relativePath: name }) => {
    if (nameOfPartial(name) !== undefined) return [{ name, file: reader.partialFile(path) }];
    const role = roleOf(posix.basename(name));
    return role === "other" ? [] : [{ name, file: reader.file(path, role) }];
  });
}
