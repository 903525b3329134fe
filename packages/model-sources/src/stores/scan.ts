import { homedir } from "node:os";

import type { Registry } from "@cortex/model-db";

import { modelFolders } from "../folders/models-folder.ts";
import { findStores, storeIn } from "./all-stores.ts";
import { Contents, type RecogniseProgress } from "./contents.ts";
import { toInventory, type Inventory } from "./inventory.ts";
import { readStores } from "./read-stores.ts";
import { RegisteredFiles } from "./registered-files.ts";
import { StoreReader } from "./store-reader.ts";
import type { Surroundings } from "./store.ts";

/** How the stores on this machine are looked through. */
export interface ScanOptions {
  /** Only these folders, absolute; every known store when left out. */
  readonly folders?: readonly string[] | undefined;
  /** Where the stores are: this machine's when left out. */
  readonly surroundings?: Surroundings | undefined;
  /** Where the registry is, or would be: its models folder is beside it. */
  readonly location: string;
  /** What the models are compared with; left out, all are new. */
  readonly registry?: Registry | undefined;
  /** Whether to keep digests of files in the registry, so that no file is read again. */
  readonly keep: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: RecogniseProgress) => void) | undefined;
}

/** What was found, with what it takes to act on it. */
export interface Scan {
  readonly inventory: Inventory;
  readonly contents: Contents;
  readonly registered: RegisteredFiles | undefined;
}

/**
 * Looks through the stores of all tools on this machine, and compares what is there with the registry. The stores are
 * only read.
 *
 * @throws what the signal was aborted with.
 */
export async function scan(options: ScanOptions): Promise<Scan> {
  const { folders, location, registry, keep, signal, onProgress } = options;
  const surroundings = options.surroundings ?? {
    env: process.env,
    home: homedir(),
    platform: process.platform,
  };
  const reader = new StoreReader(signal);
  const places =
    folders === undefined
      ? findStores(surroundings, await modelFolders(surroundings.env, location), reader)
      : folders.map((folder) => storeIn(folder, reader));
  const found = await readStores(places, reader);
  signal?.throwIfAborted();
  const registered = registry && (await RegisteredFiles.read(registry));
  const findings = [...found.findings];
  const files = found.models
    .filter(({ state }) => state !== "partial")
    .flatMap((model) => model.files.filter(({ role }) => role === "weights" || role === "mmproj"));
  const contents = await Contents.recognise(files, registered?.gone() ?? [], findings, {
    digests: registry?.fileDigests,
    keep,
    signal,
    onProgress,
  });
  return { inventory: toInventory({ ...found, findings }, contents, registered), contents, registered };
}
