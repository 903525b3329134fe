import type { Contents } from "./contents.ts";
import type { Finding, FoundModel, StoreName } from "./found-model.ts";
import type { StoreContents } from "./read-stores.ts";
import type { Known, RegisteredFiles } from "./registered-files.ts";

/** A model that lies in a store, and what else is known of it. */
export interface InventoryModel extends FoundModel {
  /** Bytes of its files that are there. */
  readonly sizeBytes: number;
  /** The registered model that it is; `null` where the registry has none. */
  readonly known: Known | null;
  /** The same for all models with the same weights; `null` where there is no other. */
  readonly sameAs: number | null;
}

/** What a store takes. */
export interface StoreSummary {
  readonly name: StoreName;
  readonly path: string;
  readonly modelCount: number;
  /** Bytes; a file with several names is counted once. */
  readonly sizeBytes: number;
}

/** All models that are on this machine, in whatever store. */
export interface Inventory {
  readonly stores: readonly StoreSummary[];
  readonly models: readonly InventoryModel[];
  readonly findings: readonly Finding[];
  /** Bytes of all files together, each file counted once. */
  readonly sizeBytes: number;
  /** How many of these bytes are there once more in another file. */
  readonly repeatedBytes: number;
}

/** Puts together what is in the stores with what is known of it. */
export function toInventory(
  { stores, models, findings }: StoreContents,
  contents: Contents,
  registered: RegisteredFiles | undefined,
): Inventory {
  const weightsOf = (model: FoundModel): string =>
    model.files
      .filter(({ role }) => role === "weights")
      .map((file) => contents.of(file))
      .toSorted()
      .join();
  const groups = new Map<string, number>();
  const same = Map.groupBy(models, weightsOf);
  const groupOf = (model: FoundModel): number | null => {
    const weights = weightsOf(model);
    if (weights === "" || same.get(weights)!.length === 1) return null;
    const number = groups.get(weights) ?? groups.size + 1;
    groups.set(weights, number);
    return number;
  };
  const all = models.map((model) => ({
    ...model,
    sizeBytes: sizeOf([model]),
    known: registered?.find(model, contents) ?? null,
    sameAs: groupOf(model),
  }));
  const byPlace = Map.groupBy(models, ({ storePath }) => storePath);
  const summaries = stores.map((store) => {
    const inside = byPlace.get(store.path) ?? [];
    return { ...store, modelCount: inside.length, sizeBytes: sizeOf(inside) };
  });
  const sizeBytes = sizeOf(models);
  return {
    stores: summaries,
    models: all,
    findings,
    sizeBytes,
    repeatedBytes: sizeBytes - sizeOf(models, contents),
  };
}

/** Bytes of files, each file once; or, by their contents, each content once. */
function sizeOf(models: readonly FoundModel[], contents?: Contents): number {
  const seen = new Set<string>();
  let sum = 0;
  for (const { files } of models) {
    for (const file of files) {
      const key = contents?.of(file) ?? file.identity;
      if (file.sizeBytes === null || key === null || seen.has(key)) continue;
      seen.add(key);
      sum += file.sizeBytes;
    }
  }
  return sum;
}
