import { realpathSync } from "node:fs";
import { dirname } from "node:path";

import type { ModelsFolder } from "../folders/models-folder.ts";
import { cortexCpp, readCortexFolder } from "./cortex-cpp.ts";
import { dockerModelRunner } from "./docker-model-runner.ts";
import { huggingFaceCache } from "./hugging-face-cache.ts";
import { jan } from "./jan.ts";
import { llamaCpp } from "./llama-cpp.ts";
import { lmStudio } from "./lm-studio.ts";
import { modelFolder } from "./model-folder.ts";
import { ollama } from "./ollama.ts";
import { ramaLama } from "./ramalama.ts";
import type { StoreReader } from "./store-reader.ts";
import type { Store, Surroundings } from "./store.ts";

/** Our own models folders, which are laid out as those of the old program. */
const cortex: Store = {
  name: "cortex",
  places: () => [],
  isLaidOutIn: () => false,
  read: (root, reader) => readCortexFolder(root, dirname(root), reader, "cortex"),
};

// Where the same bytes lie in several, the first is the one that is registered.
const STORES: readonly Store[] = [
  huggingFaceCache,
  ollama,
  lmStudio,
  llamaCpp,
  jan,
  dockerModelRunner,
  ramaLama,
  cortexCpp,
];

/** A store that is there. */
export interface StorePlace {
  readonly store: Store;
  readonly path: string;
}

/** The stores of every tool that are on this machine, each place once: our own models folders first. */
export function findStores(
  surroundings: Surroundings,
  folders: readonly ModelsFolder[],
  reader: StoreReader,
): StorePlace[] {
  const wanted = [
    ...folders.map(({ path }) => ({ store: cortex, path })),
    ...STORES.flatMap((store) => store.places(surroundings, reader).map((path) => ({ store, path }))),
  ];
  const seen = new Set<string>();
  return wanted.filter(({ path }) => {
    if (!reader.isFolder(path)) return false;
    const real = realpathSync(path);
    if (seen.has(real)) return false;
    seen.add(real);
    return true;
  });
}

/** A folder that somebody names: the store that it is laid out as, else any folder. */
export function storeIn(path: string, reader: StoreReader): StorePlace {
  return { store: STORES.find((store) => store.isLaidOutIn(path, reader)) ?? modelFolder, path };
}
