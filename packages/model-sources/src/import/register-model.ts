import { stat } from "node:fs/promises";

import {
  RegistryError,
  toVisible,
  type Files,
  type Model,
  type ModelFile,
  type Models,
  type NewModel,
  type Repositories,
} from "@cortex/model-db";

import { recordOfFacts } from "../facts/record-of-facts.ts";
import { recordedPath } from "../recorded-path.ts";
import type { HashedFile } from "./hash-model.ts";
import type { DigestKeeper } from "./known-digests.ts";
import type { LocalModel } from "./local-model.ts";
import { namesFor } from "./model-name.ts";

/** What of a registry an import needs: also of one as a caller may use it. */
export interface ImportRegistry {
  readonly models: Pick<Models, "get" | "resolveMany">;
  readonly files: Pick<Files, "listAt" | "listWithContent">;
  /** Digests of files that are not recorded; left out, such files are read each time. */
  readonly fileDigests?: DigestKeeper | undefined;
  transaction<T>(work: (repositories: Repositories) => Promise<T>): Promise<T>;
}

/** A registry that is not there yet, for a look at what would be imported. */
export const NO_REGISTRY: ImportRegistry = {
  models: {
    get: async (modelId) => {
      throw new RegistryError("model_not_found", `There is no model ${toVisible(modelId)}.`);
    },
    resolveMany: async () => new Map(),
  },
  files: { listAt: async () => [], listWithContent: async () => [] },
  transaction: async () => {
    throw new RegistryError("not_found", "There is no registry yet.");
  },
};

/** What somebody says about a model that is imported. */
export type Wishes = {
  readonly [K in "modelId" | "alias" | "tags" | "notes"]?: NewModel[K] | undefined;
};

/** What is known of a model that the registry has already. */
export interface KnownModel {
  readonly modelId: string;
  /** Whether one of its files that holds the same is still where it is recorded. */
  readonly isThere: boolean;
}

/**
 * The model that consists of some weights already, by their content.
 *
 * @param location the registry's file: relative paths begin at its folder.
 * @throws RegistryError `checksum_mismatch` where a model has other content at one of the paths.
 */
export async function findKnown(
  { files }: Pick<ImportRegistry, "files">,
  hashed: readonly HashedFile[],
  location: string,
): Promise<KnownModel | undefined> {
  const weights = hashed.filter(({ role }) => role === "weights");
  const found = await files.listWithContent(weights.map(({ sha256 }) => sha256));
  const holders = [...new Set(found.map(({ modelId }) => modelId))];
  for (const modelId of holders) {
    const own = found.filter((file) => file.modelId === modelId && file.role === "weights");
    if (!weights.every(({ sha256 }) => own.some((file) => file.sha256 === sha256))) continue;
    const places = await Promise.all(
      own.map(({ path, sizeBytes }) => isFile(recordedPath(location, path), sizeBytes)),
    );
    return { modelId, isThere: places.every(Boolean) };
  }
  const [other] = (await files.listAt(weights.map(({ path }) => path))).filter(
    ({ role }) => role === "weights",
  );
  if (other === undefined) return undefined;
  if (other.sha256 === null) return { modelId: other.modelId, isThere: true };
  throw new RegistryError(
    "checksum_mismatch",
    `${toVisible(other.path)} is a file of ${toVisible(other.modelId)}, and does not hold what it did. If it was replaced on purpose, remove that model first: cortex rm.`,
  );
}

async function isFile(path: string, sizeBytes: number | null): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  return there?.isFile() === true && (sizeBytes === null || there.size === sizeBytes);
}

/** Registers a model, unless somebody else did so meanwhile. */
export async function registerModel(
  registry: ImportRegistry,
  local: LocalModel,
  files: readonly ModelFile[],
  wishes: Wishes,
): Promise<{ model: Model; isNew: boolean }> {
  return registry.transaction(async (repositories) => {
    const [first] = await repositories.files.listWithContent([files[0]!.sha256!]);
    if (first !== undefined) {
      return { model: await repositories.models.get(first.modelId), isNew: false };
    }
    const named = await freeNames(repositories, local, wishes);
    const model = await repositories.models.create({
      ...recordOfFacts(local.facts),
      ...named,
      tags: wishes.tags,
      notes: wishes.notes,
      sourceType: "local",
      sizeBytes: local.sizeBytes,
      files,
    });
    return { model, isNew: true };
  });
}

/** What a model will be called. */
export async function freeNames(
  { models }: Pick<ImportRegistry, "models">,
  { facts, files }: LocalModel,
  wishes: Wishes,
): Promise<{ modelId: string; alias: string | null }> {
  const { ids, alias } = namesFor(facts, files[0]!.path);
  const taken = await models.resolveMany([...ids, alias]);
  const modelId = wishes.modelId ?? ids.find((id) => !taken.has(id));
  if (modelId === undefined) {
    throw new RegistryError(
      "name_taken",
      `Every name for ${toVisible(files[0]!.path)} is taken. Give it one: cortex import --model-id.`,
    );
  }
  if (wishes.alias !== undefined) return { modelId, alias: wishes.alias };
  const further = [alias, modelId.toLowerCase()].find((name) => !taken.has(name) && name !== modelId);
  return { modelId, alias: further ?? null };
}

/** Records that a model's files are somewhere else now. */
export async function relocateModel(
  registry: ImportRegistry,
  modelId: string,
  files: readonly ModelFile[],
): Promise<Model> {
  return registry.transaction(async (repositories) => {
    const recorded = await repositories.files.list(modelId);
    const remove = recorded.filter((old) => files.some(({ sha256 }) => sha256 === old.sha256));
    await repositories.files.change(modelId, { put: files, remove: remove.map(({ path }) => path) });
    return repositories.models.update(modelId, { availability: "present" });
  });
}
