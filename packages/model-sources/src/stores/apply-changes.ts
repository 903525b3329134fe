import type { JsonObject, NewModel, Registry, Repositories } from "@cortex/model-db";

import type { Contents } from "./contents.ts";
import type { FoundModel } from "./found-model.ts";
import type { Adoption, ModelCorrection, ScanPlan } from "./plan-changes.ts";

// Others may write in between.
const BATCH = 500;
// As many as are looked for at once.
const MAX_PATHS = 1000;

/** What a scan has changed in the registry: by model id. */
export interface ScanChanges {
  readonly adopted: readonly string[];
  /** With the paths of files, as they were and as they are. */
  readonly moved: readonly { readonly modelId: string; readonly from: string; readonly to: string }[];
  /** Models whose tool has written their files anew. */
  readonly renewed: readonly string[];
  readonly missing: readonly string[];
  readonly partial: readonly string[];
  readonly present: readonly string[];
}

/** What would come of a plan. */
export function toChanges({ corrections, adoptions }: ScanPlan): ScanChanges {
  const changes = new Changes();
  for (const correction of corrections) changes.add(correction);
  changes.adopted.push(...adoptions.map(({ found }) => found.modelId));
  return changes;
}

/**
 * Makes the registry say what is so, a batch of models in each transaction. Files are neither moved nor written: those
 * of an adopted model have no source, and are never deleted by us. A model that somebody has changed since the scan
 * is left for the next one.
 *
 * @throws RegistryError as `registry.transaction`.
 */
export async function applyChanges(
  registry: Registry,
  plan: ScanPlan,
  contents: Contents,
): Promise<ScanChanges> {
  const changes = new Changes();
  for (let at = 0; at < plan.corrections.length; at += BATCH) {
    const batch = plan.corrections.slice(at, at + BATCH);
    const corrected = await registry.transaction(async (repositories) => {
      const changed: ModelCorrection[] = [];
      for (const correction of batch)
        if (await correct(repositories, correction, contents)) changed.push(correction);
      return changed;
    });
    for (const correction of corrected) changes.add(correction);
  }
  for (let at = 0; at < plan.adoptions.length; at += BATCH) {
    const batch = plan.adoptions.slice(at, at + BATCH);
    const traces = contents.traces(batch.flatMap(({ found }) => weightsOf(found)));
    const adopted = await registry.transaction(async (repositories) => {
      await repositories.fileDigests.keepMany(traces);
      return adopt(repositories, batch, contents);
    });
    changes.adopted.push(...adopted);
  }
  return changes;
}

class Changes implements ScanChanges {
  readonly adopted: string[] = [];
  readonly moved: { modelId: string; from: string; to: string }[] = [];
  readonly renewed: string[] = [];
  readonly missing: string[] = [];
  readonly partial: string[] = [];
  readonly present: string[] = [];

  add({ model, availability, moves, renewal }: ModelCorrection): void {
    const { modelId } = model;
    if (renewal !== undefined) this.renewed.push(modelId);
    for (const { file, to } of moves) this.moved.push({ modelId, from: file.path, to: to.path });
    if (availability === model.availability) return;
    if (availability === "missing" || availability === "partial" || availability === "present")
      this[availability].push(modelId);
  }
}

async function correct(
  { models, files, fileDigests }: Repositories,
  { model, availability, moves, renewal }: ModelCorrection,
  contents: Contents,
): Promise<boolean> {
  const { modelId } = model;
  const now = await models.find(modelId);
  if (now === undefined || now.rowVersion !== model.rowVersion) return false;
  if (moves.length > 0) {
    await files.change(modelId, {
      remove: moves.map(({ file }) => file.path),
      // Whoever has put it there, we have not: it is not for us to delete.
      put: moves.map(({ file, to }) => ({ ...file, path: to.path, source: null })),
    });
    await fileDigests.forgetMany(moves.map(({ file }) => file.path));
  }
  if (renewal !== undefined) {
    const put = renewal.files.map(({ file, to }) => {
      return { ...file, sizeBytes: to.sizeBytes, sha256: contents.sha256Of(to), verifiedAt: null };
    });
    await files.change(modelId, { remove: [], put });
    await fileDigests.keepMany(contents.traces(renewal.files.map(({ to }) => to)));
    const recorded = await files.list(modelId);
    const sizeBytes = recorded.reduce((sum, file) => sum + (file.sizeBytes ?? 0), 0);
    await models.update(modelId, { ...renewal.facts, sizeBytes });
  }
  if (availability !== model.availability) await models.update(modelId, { availability });
  return true;
}

/** Registers models under names that are free. @returns their ids */
async function adopt(
  { models, files }: Repositories,
  batch: readonly Adoption[],
  contents: Contents,
): Promise<string[]> {
  const paths = batch.flatMap(({ found }) => weightsOf(found).map(({ path }) => path));
  const taken = new Set<string>();
  // A split model has many.
  for (let at = 0; at < paths.length; at += MAX_PATHS)
    for (const { path } of await files.listAt(paths.slice(at, at + MAX_PATHS))) taken.add(path);
  // Somebody else may have registered it since the scan.
  const fresh = batch.filter(({ found }) => weightsOf(found).every(({ path }) => !taken.has(path)));
  const names = await freeNames({ models }, fresh);
  await models.createMany(fresh.map((model, index) => toNewModel(model, names[index]!, contents)));
  return names;
}

async function freeNames(
  { models }: Pick<Repositories, "models">,
  fresh: readonly Adoption[],
): Promise<string[]> {
  const candidates = fresh.map(({ found: { store, modelId } }) => [modelId, `${store}/${modelId}`]);
  const used = new Set((await models.resolveMany(candidates.flat())).keys());
  const names: string[] = [];
  for (const [first = "", second = ""] of candidates) {
    let name = [first, second].find((candidate) => !used.has(candidate));
    for (let number = 2; name === undefined; number += 1) {
      const numbered = `${second}-${number}`;
      if (!used.has(numbered) && (await models.findByName(numbered)) === undefined) name = numbered;
    }
    used.add(name);
    names.push(name);
  }
  return names;
}

function toNewModel({ found, facts }: Adoption, modelId: string, contents: Contents): NewModel {
  const { origin } = found;
  const files = found.files.filter(({ role }) => role !== "other");
  return {
    ...facts,
    modelId,
    sourceType: origin.sourceType,
    authorRepo: origin.authorRepo?.split("/")[0] ?? null,
    branch: origin.branch,
    configPath: found.configPath ?? null,
    availability: "present",
    sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes!, 0),
    metadata: { ...facts.metadata, ...metadataOf(found) },
    files: files.map((file) => ({
      path: file.path,
      role: file.role,
      sizeBytes: file.sizeBytes,
      sha256: contents.sha256Of(file),
      source: null,
    })),
  };
}

function metadataOf({ store, name, origin }: FoundModel): JsonObject {
  const { authorRepo, commit } = origin;
  return {
    store: { name: store, model: name },
    ...(authorRepo === null
      ? {}
      : { source: { repository: authorRepo, ...(commit === null ? {} : { commit_id: commit }) } }),
  };
}

function weightsOf({ files }: FoundModel): FoundModel["files"] {
  return files.filter(({ role }) => role === "weights");
}
