import type { BigIntStats } from "node:fs";

import type { Availability, Model, ModelFile, Registry } from "@cortex/model-db";

import { everyModel, type ModelWithFiles } from "../every-model.ts";
import { recordedPath } from "../recorded-path.ts";
import { availabilityAfter } from "./availability-after.ts";
import { hashFile, type HashOptions } from "./hash-file.ts";
import { headerFault } from "./header-fault.ts";
import { lockRepairs, repairFile, type RepairOutcome, type RepairTools } from "./repair-file.ts";
import { verifyFile, type FileState, type FileVerdict } from "./verify-file.ts";

/** How models are verified. */
export interface VerifyOptions {
  /** Ids or aliases; every model that should be here when left out. */
  readonly names?: readonly string[] | undefined;
  /** Begin no further file after this many milliseconds; one that was begun is finished, and the first always is. */
  readonly maxMs?: number | undefined;
  /**
   * Record the digest that is found of files without one, as what they are compared with from then on. Not of
   * configuration files, which people and old programs change.
   */
  readonly record?: boolean | undefined;
  /** Put good content in the place of what is damaged or gone, as far as it is ours: see {@link repairFile}. */
  readonly repair?: RepairTools | undefined;
  /** Ends it; what was found by then is recorded. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
}

/** How far it is. Bytes of files that are read whole. */
export interface VerifyProgress {
  readonly modelId: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** What was found of a model. */
export interface ModelVerdict {
  readonly modelId: string;
  /** As it is recorded now. */
  readonly availability: Availability;
  readonly files: readonly VerifiedFile[];
}

/** A recorded file as it was found, and what has come of repairing it. */
export interface VerifiedFile {
  readonly file: ModelFile;
  readonly verdict: FileVerdict;
  /** Where it was to be repaired. */
  readonly repair?: RepairOutcome;
}

/**
 * Compares the files of models with what is recorded of them, and records what comes of it: when each was last
 * found whole, and whether the model is all here. Those that were never verified come first, then those whose
 * last time is the longest ago; what is known not to be whole comes last, so that it holds up nobody. The same content
 * under several names is read once.
 *
 * @returns each model as soon as it is done, also one whose files are all whole; without those whose files are
 *   not meant to be here.
 * @throws RegistryError `model_not_found` for a name that means nothing, `database_busy` where another process
 *   repairs; what the signal was aborted with.
 */
export async function* verifyModels(
  registry: Registry,
  options: VerifyOptions = {},
): AsyncGenerator<ModelVerdict, undefined> {
  const { names, maxMs = Infinity, record = false, repair, signal, onProgress } = options;
  using _ = repair === undefined ? undefined : lockRepairs(registry.location);
  const until = performance.now() + maxMs;
  const chosen = await choose(registry, names);
  const wanted = inTurn(chosen);
  const totalBytes = wanted.reduce((sum, { files }) => sum + bytesToRead(files, record), 0);
  const digests = new Digests();
  let doneBytes = 0;
  let isFirst = true;
  for (const { model, files } of wanted) {
    const { modelId } = model;
    const found: VerifiedFile[] = [];
    const onBytes = (bytes: number): void =>
      onProgress?.({ modelId, doneBytes: (doneBytes += bytes), totalBytes });
    try {
      for (const file of files) {
        signal?.throwIfAborted();
        // A file that takes longer than there is time would otherwise never be verified.
        if (performance.now() > until && !isFirst) break;
        isFirst = false;
        const path = recordedPath(registry.location, file.path);
        const verdict = await verifyFile(path, file, {
          findDigest: record && file.role !== "config",
          digestOf: digests.of,
          headerFault: isGguf(model, file) ? headerFault : undefined,
          signal,
          onBytes,
        });
        if (repair === undefined || !canBeRepaired(verdict)) found.push({ file, verdict });
        else {
          const outcome = await repairFile(registry, repair, modelId, file, verdict.state, { signal });
          found.push({ file, verdict, repair: outcome });
        }
      }
    } finally {
      // What took minutes to find out is not lost when somebody ends it.
      if (found.length > 0) await recordFound(registry, modelId, found, record);
    }
    if (files.length > 0 && found.length === 0) return;
    const { availability } = (await registry.models.find(modelId)) ?? model;
    yield { modelId, availability, files: found };
  }
}

async function choose(registry: Registry, names: readonly string[] | undefined): Promise<ModelWithFiles[]> {
  if (names === undefined) {
    const all = await Array.fromAsync(everyModel(registry));
    return all.filter(({ model, files }) => files.length > 0 && isMeantToBeHere(model.availability));
  }
  const chosen = new Map<string, ModelWithFiles>();
  for (const name of names) {
    const model = await registry.models.resolve(name);
    chosen.set(model.modelId, { model, files: await registry.files.list(model.modelId) });
  }
  return [...chosen.values()];
}

function isMeantToBeHere(availability: Availability): boolean {
  return availability !== "downloadable" && availability !== "remote";
}

function inTurn(models: readonly ModelWithFiles[]): ModelWithFiles[] {
  return models
    .map(({ model, files }) => ({ model, files: files.toSorted((a, b) => verifiedAt(a) - verifiedAt(b)) }))
    .toSorted((a, b) => turnOf(a) - turnOf(b));
}

/** When a model was verified last; for ever where it is known not to be whole. */
function turnOf({ model, files }: ModelWithFiles): number {
  const [oldest] = files;
  return model.availability === "present" && oldest !== undefined ? verifiedAt(oldest) : Infinity;
}

function verifiedAt(file: ModelFile): number {
  return file.verifiedAt ?? 0;
}

function bytesToRead(files: readonly ModelFile[], record: boolean): number {
  return files
    .filter(({ sha256 }) => sha256 !== null || record)
    .reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
}

function isGguf({ format }: Model, { path, role }: ModelFile): boolean {
  return /\.gguf$/i.test(path) || (format === "gguf" && (role === "weights" || role === "mmproj"));
}

function canBeRepaired({ state }: FileVerdict): boolean {
  return state === "damaged" || state === "changed" || state === "missing";
}

/** Records what was found, except of files that somebody has recorded differently meanwhile. */
async function recordFound(
  registry: Registry,
  modelId: string,
  found: ModelVerdict["files"],
  record: boolean,
): Promise<void> {
  const now = Date.now();
  await registry.transaction(async ({ models, files }) => {
    const model = await models.find(modelId);
    if (model === undefined) return;
    const recorded = await files.list(modelId);
    for (const { file, verdict, repair } of found) {
      const current = recorded.find(({ path }) => path === file.path);
      if (current === undefined || !isSameContent(current, file)) continue;
      const isRecorded = record && verdict.state === "unproven" && verdict.foundSha256 !== null;
      const isProven = verdict.state === "whole" || repair?.isRepaired === true;
      if (!isProven && !isRecorded) continue;
      const { sizeBytes, sha256 } = current;
      await files.put(modelId, {
        ...current,
        sizeBytes: sizeBytes ?? verdict.foundSizeBytes,
        sha256: sha256 ?? verdict.foundSha256,
        verifiedAt: now,
      });
    }
    const states = recorded.map((current) => {
      const of = found.find(({ file }) => file.path === current.path && isSameContent(current, file));
      return { role: current.role, state: of && stateOf(of) };
    });
    const availability = availabilityAfter(model.availability, states);
    if (availability !== model.availability) await models.update(modelId, { availability });
  });
}

function stateOf({ file, verdict, repair }: VerifiedFile): FileState {
  if (repair?.isRepaired === true) return "whole";
  // A file of which nothing is recorded, such as the one that old programs know a model by, does not make it whole or not.
  const isNoted = file.sizeBytes !== null || file.sha256 !== null || file.role === "weights";
  return isNoted ? verdict.state : "unproven";
}

function isSameContent(a: ModelFile, b: ModelFile): boolean {
  return a.sha256 === b.sha256 && a.sizeBytes === b.sizeBytes && a.source === b.source;
}

/** The digests found so far, by what tells one file on the disk from another. */
class Digests {
  readonly #found = new Map<string, string>();

  readonly of = async (path: string, stats: BigIntStats, options: HashOptions): Promise<string> => {
    const key = [stats.dev, stats.ino, stats.size, stats.mtimeNs].join(":");
    const known = this.#found.get(key);
    if (known !== undefined) {
      options.onBytes?.(Number(stats.size));
      return known;
    }
    const { sha256 } = await hashFile(path, options);
    this.#found.set(key, sha256);
    return sha256;
  };
}
