import { basename } from "node:path";

import {
  hasForbiddenCharacter,
  isRegistryError,
  RegistryError,
  toVisible,
  type Model,
  type ModelFile,
} from "@cortex/model-db";

import type { FileKind } from "../facts/model-facts.ts";
import type { ModelsFolder } from "../folders/models-folder.ts";
import { nameOfPartial } from "../stores/model-files.ts";
import { findFolders, type Refusal } from "./find-files.ts";
import { hashModel, toRecorded, type HashedFile, type ImportProgress } from "./hash-model.ts";
import { keepDigests } from "./known-digests.ts";
import type { LocalModel } from "./local-model.ts";
import { folderNameFor } from "./model-name.ts";
import { modelsInFolder, type ModelInFolder } from "./models-in-folder.ts";
import { Placement, removeOriginals, type PlacingWay } from "./place-files.ts";
import {
  findKnown,
  freeNames,
  registerModel,
  relocateModel,
  type ImportRegistry,
  type KnownModel,
  type Wishes,
} from "./register-model.ts";
import { writeYmlBeside } from "./write-yml-beside.ts";

export interface ImportOptions {
  /** Files and folders. */
  readonly paths: readonly string[];
  /** Names and labels that somebody chose; an id or alias only where one model is found. */
  readonly model?: Wishes | undefined;
  /** The registry's file: recorded paths that are relative begin at its folder. */
  readonly location: string;
  /** How the files come into a models folder; left out, they stay where they are. */
  readonly way?: PlacingWay | undefined;
  /** The models folders, for files that do not stay where they are. */
  readonly folders?: readonly ModelsFolder[] | undefined;
  /** Folders outside of which nothing is looked at, whatever links say; left out, everything is. */
  readonly within?: readonly string[] | undefined;
  /** Look and say, but change nothing. */
  readonly dryRun?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told, while a file is read, how many bytes of how many are done. */
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
  /** Told of each model, or of what was none, as soon as it is decided. */
  readonly onResult?: ((result: ImportResult) => void) | undefined;
}

/**
 * What became of a model that was found: `imported`; `already_registered`, by the same content; `found_again`, a
 * registered model whose files were gone from where they were; `refused`, and why.
 */
export type ImportResult = ImportedModel | RefusedModel;

export interface ImportedModel {
  readonly outcome: "imported" | "already_registered" | "found_again";
  readonly model: Pick<Model, "modelId" | "alias" | "sizeBytes">;
  /** Of its files: as they are recorded or, where nothing is recorded, as they were found. */
  readonly paths: readonly string[];
  /** What was moved and could not be taken away from where it was. */
  readonly left?: readonly string[];
}

export interface RefusedModel {
  readonly outcome: "refused";
  readonly path: string;
  readonly error: RegistryError;
}

/**
 * Brings models that lie on this machine into the registry, each with what its files say. The files stay what and
 * where they are, unless a way into a models folder is named.
 *
 * @returns what became of each, in the order in which they were found.
 * @throws RegistryError of the registry itself; what is wrong with one model is its result.
 */
export async function importModels(
  registry: ImportRegistry,
  options: ImportOptions,
): Promise<ImportResult[]> {
  const results: ImportResult[] = [];
  for await (const result of importEach(registry, options)) {
    results.push(result);
    options.onResult?.(result);
  }
  return results;
}

async function* importEach(
  registry: ImportRegistry,
  options: ImportOptions,
): AsyncGenerator<ImportResult, undefined> {
  const models = new Map<string, FoundModel>();
  for await (const found of findFolders(options.paths, options.within)) {
    options.signal?.throwIfAborted();
    if ("error" in found) {
      yield refused(found);
      continue;
    }
    const { path, names, asked } = found;
    for (const model of modelsInFolder(path, names, { asked, within: options.within })) {
      models.set(model.path, models.get(model.path) ?? { ...model, isNamed: asked !== undefined });
    }
  }
  if (models.size > 1 && (options.model?.modelId !== undefined || options.model?.alias != null)) {
    throw new RegistryError(
      "invalid_input",
      `There are ${models.size} models, which cannot all have one name. Import the one that is to have it by itself.`,
    );
  }
  const planned = new Map<string, string>();
  for (const model of models.values()) {
    options.signal?.throwIfAborted();
    const result = await importOne(registry, model, options, planned);
    if (result !== undefined) yield result;
  }
}

interface FoundModel extends ModelInFolder {
  /** Somebody named it: what is wrong with it is said, and not passed over. */
  readonly isNamed: boolean;
}

async function importOne(
  registry: ImportRegistry,
  { path, read, isNamed, isAlone }: FoundModel,
  options: ImportOptions,
  planned: Map<string, string>,
): Promise<ImportResult | undefined> {
  try {
    if (nameOfPartial(basename(path)) !== undefined) throw notWhole(path);
    const local = await read();
    if (local?.facts.kind === "model") return await importModel(registry, local, options, planned, isAlone);
    if (isNamed) throw notAModel(path, local?.facts.kind ?? "other");
    return undefined;
  } catch (error) {
    if (isRegistryError(error) && IS_OF_ONE_MODEL.has(error.code)) return refused({ path, error });
    throw error;
  }
}

/**
 * @param planned by content, the ids of what would have been imported by now, where nothing really is.
 * @param isAlone whether no other model is in its folder.
 */
async function importModel(
  registry: ImportRegistry,
  local: LocalModel,
  options: ImportOptions,
  planned: Map<string, string>,
  isAlone: boolean,
): Promise<ImportedModel> {
  const paths = local.files.map(({ path }) => path);
  checkNames(paths);
  const hashed = await hashModel(registry, local, options);
  const known = await findKnown(registry, hashed, options.location);
  if (known?.isThere === true) {
    if (options.dryRun !== true) await keepDigests(registry.fileDigests, hashed);
    return { outcome: "already_registered", model: await registry.models.get(known.modelId), paths };
  }
  if (options.dryRun === true) return plan(registry, local, hashed, known, planned, options);
  if (options.way === undefined) {
    return record(
      registry,
      local,
      hashed.map((file) => toRecorded(file)),
      known,
      options,
    );
  }
  const name = folderNameFor(local.facts, local.files[0]!.path);
  await using placement = await Placement.create(hashed, options.way, options.folders ?? [], name, options);
  const result = await record(registry, local, placement.files, known, options);
  // What was placed for it goes again.
  if (result.outcome === "already_registered") return { ...result, paths };
  placement.keep();
  await writeYmlBeside(registry, result.model, local, placement.files, options.location);
  if (options.way !== "move") return result;
  // A projector goes on serving the other models that it lies beside.
  const moved = hashed.filter(({ role }) => role === "weights" || isAlone);
  return { ...result, left: await removeOriginals(moved) };
}

async function record(
  registry: ImportRegistry,
  local: LocalModel,
  files: readonly ModelFile[],
  known: KnownModel | undefined,
  options: ImportOptions,
): Promise<ImportedModel> {
  const paths = files.map(({ path }) => path);
  if (known !== undefined) {
    return { outcome: "found_again", model: await relocateModel(registry, known.modelId, files), paths };
  }
  const { model, isNew } = await registerModel(registry, local, files, options.model ?? {});
  return { outcome: isNew ? "imported" : "already_registered", model, paths };
}

async function plan(
  registry: ImportRegistry,
  local: LocalModel,
  hashed: readonly HashedFile[],
  known: KnownModel | undefined,
  planned: Map<string, string>,
  options: ImportOptions,
): Promise<ImportedModel> {
  const paths = hashed.map(({ path }) => path);
  const { sizeBytes } = local;
  if (known !== undefined) {
    return { outcome: "found_again", model: await registry.models.get(known.modelId), paths };
  }
  const content = hashed.map(({ sha256 }) => sha256).join();
  const before = planned.get(content);
  if (before !== undefined) {
    return { outcome: "already_registered", model: { modelId: before, alias: null, sizeBytes }, paths };
  }
  const names = await freeNames(registry, local, options.model ?? {});
  planned.set(content, names.modelId);
  return { outcome: "imported", model: { ...names, sizeBytes }, paths };
}

// Anything else, such as a registry that cannot be written, ends the import.
const IS_OF_ONE_MODEL: ReadonlySet<string> = new Set([
  "invalid_input",
  "not_found",
  "permission_denied",
  "io_error",
  "name_taken",
  "checksum_mismatch",
  "source_unreachable",
]);

const KINDS: Readonly<Record<Exclude<FileKind, "model">, string>> = {
  projector: "a projector, which belongs to a model: put it beside the model, and import that",
  adapter: "an adapter, which changes a model and is none",
  vocabulary: "a vocabulary without a model",
  other: "something else than a model",
};

function notAModel(path: string, kind: Exclude<FileKind, "model">): RegistryError {
  return new RegistryError("invalid_input", `${toVisible(path)} holds ${KINDS[kind]}.`);
}

// It is of full size from the start, with what has not arrived as zeros, and its header comes first.
function notWhole(path: string): RegistryError {
  return new RegistryError(
    "invalid_input",
    `${toVisible(path)} is what has arrived so far of a file. Import it when it is whole.`,
  );
}

/** @throws RegistryError `invalid_input` where the registry cannot hold a path. */
function checkNames(paths: readonly string[]): void {
  const odd = paths.find(hasForbiddenCharacter);
  if (odd === undefined) return;
  throw new RegistryError(
    "invalid_input",
    `${toVisible(odd)} has a line break or another character that is not seen in its name, which the registry cannot hold. Rename it, and import it again.`,
  );
}

function refused({ path, error }: Refusal): RefusedModel {
  return { outcome: "refused", path, error };
}
