import { join } from "node:path";

import { hasForbiddenCharacter } from "@cortex/model-db";

import type { StorePlace } from "./all-stores.ts";
import type { Finding, FoundModel, StoreName } from "./found-model.ts";
import type { StoreReader } from "./store-reader.ts";

/** What is in the stores, before anything else is known of it. */
export interface StoreContents {
  readonly stores: readonly { readonly name: StoreName; readonly path: string }[];
  readonly models: readonly FoundModel[];
  readonly findings: readonly Finding[];
}

/**
 * Reads stores one after the other. Files that two of them show, as where one store lies in another, are shown by
 * the first; a model that no registry can name is a finding.
 */
export async function readStores(places: readonly StorePlace[], reader: StoreReader): Promise<StoreContents> {
  const models: FoundModel[] = [];
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const { store, path } of places) {
    for await (const found of store.read(path, reader)) {
      if (found.kind === "finding") {
        findings.push(found);
        continue;
      }
      const modelId = found.modelId.trim();
      const unnamed = findUnnamed({ ...found, modelId });
      if (unnamed !== undefined) {
        findings.push(unnamed);
        continue;
      }
      const paths = JSON.stringify([found.name, found.files.map((file) => file.path)]);
      if (seen.has(paths)) continue;
      seen.add(paths);
      models.push(modelId === found.modelId ? found : { ...found, modelId });
    }
  }
  const stores = places.map(({ store, path }) => ({ name: store.name, path }));
  return { stores, models, findings };
}

/** What is the matter with names that the registry could not hold. */
function findUnnamed({ storePath, name, modelId, files }: FoundModel): Finding | undefined {
  const odd = files.find(({ path }) => hasForbiddenCharacter(path));
  if (odd === undefined && modelId !== "" && ![name, modelId].some(hasForbiddenCharacter)) return undefined;
  const problem =
    "has a name that the registry cannot hold, with a line break or another character that is not seen: rename it to have it here";
  return { kind: "finding", path: odd?.path ?? join(storePath, name), problem };
}
