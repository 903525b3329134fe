import { realpathSync } from "node:fs";
import { sep } from "node:path";

import type { Registry } from "@cortex/model-db";

import { freeBytes } from "../folders/choose-folder.ts";
import type { ModelsFolder } from "../folders/models-folder.ts";
import { findStores } from "../stores/all-stores.ts";
import type { StoreName } from "../stores/found-model.ts";
import { StoreReader } from "../stores/store-reader.ts";
import type { Surroundings } from "../stores/store.ts";
import type { FileOnDisk } from "./file-on-disk.ts";
import { inventory, type HeldFile } from "./inventory.ts";
import { partialFiles } from "./partial-files.ts";

/** What some of the models take. */
export interface Usage {
  /** What they have in common; `null` where that is not known. */
  readonly name: string | null;
  readonly models: number;
  /** Those that are there. */
  readonly files: number;
  /** What the files take on the disk, each content once. */
  readonly usedBytes: number;
  /** How much of that is also counted under another name. */
  readonly sharedBytes: number;
}

/** What the files in one store take. */
export interface StoreUsage extends Omit<Usage, "name"> {
  /** The tool whose store it is; `null`: the files lie in none. */
  readonly store: StoreName | null;
  readonly path: string | null;
}

/** Where the space goes. */
export interface DiskUsage {
  /** What all files take on the disk, each content once, with what is not whole yet. */
  readonly usedBytes: number;
  /** How much more it would be if nothing were shared. */
  readonly savedBytes: number;
  /** What was fetched of files that are not whole. */
  readonly partialBytes: number;
  /** Recorded files that are not there, of models that should be here. */
  readonly missingFiles: number;
  readonly byStore: readonly StoreUsage[];
  readonly bySource: readonly Usage[];
  readonly byAuthor: readonly Usage[];
  readonly folders: readonly (ModelsFolder & { readonly freeBytes: number })[];
}

/**
 * What the files of all models take on the disk. Names of the same bytes are counted once: hard links, links to one
 * blob, a file that several models have. The largest comes first.
 *
 * @param surroundings what decides where the stores of other tools are.
 */
export async function diskUsage(
  registry: Registry,
  folders: readonly ModelsFolder[],
  surroundings: Surroundings,
): Promise<DiskUsage> {
  const places = findStores(surroundings, folders, new StoreReader()).map(({ store, path }) => ({
    store: store.name,
    path,
    root: `${realpathSync(path)}${sep}`,
  }));
  const [stores, sources, authors] = [new Tally(), new Tally(), new Tally()];
  const contents = new Map<string, number>();
  let [sumBytes, partialBytes, missingFiles] = [0, 0, 0];
  for await (const { model, files } of inventory(registry, registry.location, folders)) {
    const isHere = model.availability === "present" || model.availability === "partial";
    for (const held of files) {
      if (held.onDisk === undefined) {
        missingFiles += isHere ? 1 : 0;
        continue;
      }
      const { contentId, usedBytes } = held.onDisk;
      sumBytes += usedBytes;
      contents.set(contentId, usedBytes);
      stores.add(placeOf(places, held.onDisk)?.path ?? null, model.modelId, held);
      sources.add(model.sourceType, model.modelId, held);
      authors.add(model.authorRepo, model.modelId, held);
    }
  }
  for await (const { onDisk } of partialFiles(folders)) {
    if (contents.has(onDisk.contentId)) continue;
    contents.set(onDisk.contentId, onDisk.usedBytes);
    partialBytes += onDisk.usedBytes;
  }
  const usedBytes = sumOf(contents.values());
  return {
    usedBytes,
    savedBytes: sumBytes + partialBytes - usedBytes,
    partialBytes,
    missingFiles,
    byStore: stores.rows().map(({ name: path, ...usage }) => {
      const store = places.find((place) => place.path === path)?.store ?? null;
      return { store, path, ...usage };
    }),
    bySource: sources.rows(),
    byAuthor: authors.rows(),
    folders: await Promise.all(
      folders.map(async (folder) => ({ ...folder, freeBytes: await freeBytes(folder.path) })),
    ),
  };
}

/** The store that a file lies in, the innermost where one holds another. */
function placeOf<Place extends { readonly root: string }>(
  places: readonly Place[],
  { realPath }: FileOnDisk,
): Place | undefined {
  const around = places.filter(({ root }) => realPath.startsWith(root));
  return around.toSorted((a, b) => b.root.length - a.root.length)[0];
}

/** Files under names, each content once under each. */
class Tally {
  readonly #rows = new Map<string | null, TallyRow>();
  /** Under how many names a content is. */
  readonly #spread = new Map<string, number>();

  add(name: string | null, modelId: string, { onDisk }: HeldFile): void {
    const row = this.#rows.get(name) ?? { models: new Set(), files: 0, contents: new Map() };
    this.#rows.set(name, row);
    row.models.add(modelId);
    row.files += 1;
    const { contentId, usedBytes } = onDisk!;
    if (row.contents.has(contentId)) return;
    row.contents.set(contentId, usedBytes);
    this.#spread.set(contentId, (this.#spread.get(contentId) ?? 0) + 1);
  }

  rows(): Usage[] {
    const rows = Array.from(this.#rows, ([name, { models, files, contents }]) => {
      const shared = [...contents].filter(([contentId]) => this.#spread.get(contentId)! > 1);
      return {
        name,
        models: models.size,
        files,
        usedBytes: sumOf(contents.values()),
        sharedBytes: sumOf(shared.map(([, bytes]) => bytes)),
      };
    });
    return rows.toSorted((a, b) => b.usedBytes - a.usedBytes);
  }
}

interface TallyRow {
  readonly models: Set<string>;
  files: number;
  readonly contents: Map<string, number>;
}

function sumOf(numbers: Iterable<number>): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}
