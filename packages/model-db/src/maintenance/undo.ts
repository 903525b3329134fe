import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import type { ModelEvent } from "../domain/event.ts";
import { foldEvent, toPastModel, type PastState } from "../domain/past-state.ts";
import { toRecord, toFileRecord } from "../domain/record.ts";
import { invalidInput, isRegistryError, RegistryError } from "../errors.ts";
import { openRegistry, type Registry, type Repositories } from "../registry.ts";
import type { Revised, Revision } from "../repositories/revisions.ts";
import { automaticBackupFolder, registryOfBackup } from "./backup-folder.ts";
import { readChangeLog } from "./change-log.ts";
import { findIdentity } from "./registry-identity.ts";
import { createSnapshot, isIntactSnapshot, listSnapshots, type Snapshot } from "./snapshots.ts";

/** Which past state; at least one of the two. */
export interface PastTarget {
  /** A time, in Unix milliseconds: after the last change up to then. Left out: the newest that `from` has. */
  readonly at?: number | undefined;
  /** A backup folder or a snapshot's file; left out, the registry's own history. */
  readonly from?: string | undefined;
}

/** What a restore did, or would do. */
export interface ChangesReport extends Revised {
  /** After which event the models were as they are, or would be, again. */
  readonly eventId: number;
  /** What the registry was before; `null` where nothing was changed. */
  readonly snapshot: Snapshot | null;
}

const BY_ID = { sort: { field: "model_id" } } as const;

/**
 * Makes a registry, or one model of it, what it was: by new changes, in one transaction, each with its
 * entry in the history, so that this can be undone like anything else. Models that are gone come back
 * with their id, names, labels, files and time of registration; those that were not there yet go. What
 * is so already is left alone. A snapshot of what there is now is kept first, in the default folder.
 *
 * @param options.modelId only this model, which may be gone by now.
 * @param options.dryRun only says what would happen.
 * @throws RegistryError `model_running` when a model that would go is running, `name_taken` when the one
 *   model's name means another by now, `model_not_found` when there was none of that id, neither then nor
 *   now, `not_found` where there is no intact backup or the history does not reach back to the model's
 *   beginning, `database_damaged` where the backup's log is, `invalid_input` for a backup of another registry.
 */
export async function restoreAsChanges(
  registry: Registry,
  target: PastTarget,
  options: { modelId?: string | undefined; dryRun?: boolean | undefined } = {},
): Promise<ChangesReport> {
  const { modelId, dryRun = false } = options;
  if (target.at === undefined && target.from === undefined) {
    throw invalidInput("at", "A restore needs a time or a backup to go back to.");
  }
  const past = target.from === undefined ? undefined : await openPast(target.from, registry.registryId);
  try {
    const change = toChange(past, target, modelId);
    const rehearsed = await registry.rehearse(change);
    if (dryRun || isNothing(rehearsed)) return { ...rehearsed, snapshot: null };
    const folder = automaticBackupFolder(registry.location, registry.registryId);
    // Beside those that there are: what is restored from may be the oldest of them.
    const keep = listSnapshots(folder).length + 1;
    const snapshot = await createSnapshot(registry.location, folder, { keep });
    return { ...(await registry.transaction(change)), snapshot };
  } finally {
    await past?.end();
  }
}

function toChange(
  past: Past | undefined,
  target: PastTarget,
  modelId: string | undefined,
): (now: Repositories) => Promise<Omit<ChangesReport, "snapshot">> {
  return async (now) => {
    const { eventId, revisions } =
      past === undefined
        ? await fromHistory(now, target.at!, modelId)
        : await fromPast(now, past, target.at, modelId);
    return { ...(await now.revisions.apply(revisions)), eventId };
  };
}

function isNothing({ created, updated, deleted }: Revised): boolean {
  return created.length + updated.length + deleted.length === 0;
}

/** What differs from the state after the last event up to a time: only what something has happened to since. */
async function fromHistory(
  now: Repositories,
  at: number,
  modelId: string | undefined,
): Promise<{ eventId: number; revisions: Revision[] }> {
  const eventId = await eventAt(now, at);
  if (eventId === 0 && modelId === undefined) throw beforeAll(at);
  const changed = new Set<string>();
  for await (const event of eventsBeyond(now, eventId, modelId)) changed.add(event.modelId);
  const revisions = [];
  for (const id of changed) revisions.push(toRevision(id, await stateAt(now, id, eventId)));
  if (modelId !== undefined && changed.size === 0) await refuseUnknown(now, modelId);
  return { eventId, revisions };
}

/** A snapshot, and the log that goes on from it where there is one. */
interface Past {
  readonly registry: Registry;
  readonly end: () => Promise<void>;
  readonly eventId: number;
  readonly logFolder: string | undefined;
}

async function openPast(from: string, registryId: string): Promise<Past> {
  const isFolder = statSync(from, { throwIfNoEntry: false })?.isDirectory() === true;
  const snapshot = isFolder ? listSnapshots(from).find(isIntactSnapshot)?.path : from;
  if (snapshot === undefined) {
    throw new RegistryError("not_found", `There is no intact snapshot in ${from}. Choose another backup.`);
  }
  if (existsSync(`${snapshot}.sha256`) && !isIntactSnapshot({ path: snapshot })) {
    throw new RegistryError(
      "checksum_mismatch",
      `${snapshot} is not what was written: choose another snapshot, or the folder.`,
    );
  }
  const { registry, end, hadId } = await openSnapshot(snapshot);
  // Before it had an id of its own, only its place tells whose it is.
  const owner = hadId ? registry.registryId : (registryOfBackup(dirname(dirname(snapshot))) ?? registryId);
  if (owner === registryId) {
    const eventId = await registry.history.latestEventId();
    return { registry, end, eventId, logFolder: isFolder ? from : undefined };
  }
  await end();
  throw invalidInput(
    "from",
    `${snapshot} is a backup of another registry (${owner}; this one is ${registryId}).`,
  );
}

/** Opens a snapshot to read; of one with an older schema, a copy that is brought up to date. */
async function openSnapshot(
  snapshot: string,
): Promise<{ registry: Registry; end: () => Promise<void>; hadId: boolean }> {
  try {
    const registry = await openRegistry(snapshot, { mode: "read" });
    return { registry, end: () => registry.close(), hadId: true };
  } catch (error) {
    if (!isRegistryError(error) || error.code !== "schema_too_old") throw error;
  }
  const folder = mkdtempSync(join(tmpdir(), "cortex-restore-"));
  const copy = join(folder, "registry.db");
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    copyFileSync(snapshot, copy);
    const hadId = findIdentity(copy) !== undefined;
    const registry = await openRegistry(copy, { mode: "write" });
    return { registry, end: () => registry.close().finally(remove), hadId };
  } catch (error) {
    remove();
    throw error;
  }
}

// A slip of the year would take every model away.
function beforeAll(at: number): RegistryError {
  return invalidInput(
    "at",
    `Nothing had happened yet at ${new Date(at).toISOString()}: the history begins later. Choose a later time.`,
  );
}

/** What differs from a backup, at its end or at a time before that. */
async function fromPast(
  now: Repositories,
  past: Past,
  at: number | undefined,
  modelId: string | undefined,
): Promise<{ eventId: number; revisions: Revision[] }> {
  const { registry } = past;
  const states = new Map<string, PastState | undefined>();
  let eventId = at === undefined ? past.eventId : await eventAt(registry, at);
  if (at !== undefined && eventId === 0 && modelId === undefined) throw beforeAll(at);
  if (eventId === past.eventId) {
    eventId = await foldLog(past, at, states);
  } else {
    for await (const { modelId: id } of eventsBeyond(registry, eventId, modelId)) {
      if (!states.has(id)) states.set(id, await stateAt(registry, id, eventId));
    }
  }
  const revisions: Revision[] = [];
  for await (const id of idsOf(now, past, states, modelId)) {
    const present = await now.models.find(id);
    if (states.has(id)) {
      revisions.push(toRevision(id, states.get(id)));
      continue;
    }
    const model = await registry.models.find(id);
    // The checksum covers the version, which grows with each change, of the files too.
    if (model !== undefined && present?.rowChecksum === model.rowChecksum && model.rowChecksum !== "")
      continue;
    const target = model && { model, files: await registry.files.list(id) };
    if (target !== undefined || present !== undefined) revisions.push({ modelId: id, target });
  }
  if (modelId !== undefined && revisions.length === 0) await refuseUnknown(now, modelId);
  return { eventId, revisions };
}

/** Folds what the log has beyond the snapshot, up to a time. @returns the last event that counts. */
async function foldLog(
  past: Past,
  at: number | undefined,
  states: Map<string, PastState | undefined>,
): Promise<number> {
  const { registry, logFolder } = past;
  if (logFolder === undefined) return past.eventId;
  let eventId = past.eventId;
  let last = past.eventId;
  for await (const event of readChangeLog(logFolder, { after: last })) {
    if (event.eventId !== last + 1) throw logGap(logFolder, event.eventId);
    last = event.eventId;
    if (at === undefined || event.at <= at) eventId = last;
  }
  for await (const event of readChangeLog(logFolder, { after: past.eventId })) {
    if (event.eventId > eventId) break;
    const { modelId } = event;
    const state = states.has(modelId) ? states.get(modelId) : await stateIn(registry, modelId);
    states.set(modelId, foldEvent(state, event));
  }
  return eventId;
}

function logGap(folder: string, eventId: number): RegistryError {
  return new RegistryError(
    "database_damaged",
    `The log in ${folder} is damaged before change ${eventId}. Restore to a time before that, or to a snapshot.`,
  );
}

async function stateIn({ models, files }: Repositories, modelId: string): Promise<PastState | undefined> {
  const model = await models.find(modelId);
  if (model === undefined) return undefined;
  const records = (await files.list(modelId)).map(toFileRecord);
  return { record: toRecord(model), files: new Map(records.map((file) => [file["path"] as string, file])) };
}

/** The ids that can differ: each once. */
async function* idsOf(
  now: Repositories,
  past: Past,
  states: ReadonlyMap<string, unknown>,
  modelId: string | undefined,
): AsyncGenerator<string, undefined> {
  if (modelId !== undefined) {
    yield modelId;
    return;
  }
  const { registry } = past;
  yield* states.keys();
  for await (const { modelId: id } of registry.models.all(BY_ID)) if (!states.has(id)) yield id;
  for await (const { modelId: id } of now.models.all(BY_ID)) {
    if (!states.has(id) && (await registry.models.find(id)) === undefined) yield id;
  }
}

/** The last event up to a time; 0 where there is none. */
async function eventAt({ history }: Repositories, at: number): Promise<number> {
  const { items } = await history.list({ until: at, order: "desc", limit: 1 });
  return items[0]?.eventId ?? 0;
}

async function* eventsBeyond(
  { history }: Repositories,
  eventId: number,
  modelId: string | undefined,
): AsyncGenerator<ModelEvent, undefined> {
  for await (const event of history.all({ order: "asc", cursor: String(eventId), modelId })) {
    // What happened to the registry as a whole changed no model.
    if (event.kind !== "repaired") yield event;
  }
}

/** @throws RegistryError `not_found` where the model's beginning is not known. */
async function stateAt(
  repositories: Repositories,
  modelId: string,
  eventId: number,
): Promise<PastState | undefined> {
  let state: PastState | undefined;
  let last: ModelEvent | undefined;
  for await (const event of eventsBeyond(repositories, 0, modelId)) {
    if (event.eventId > eventId) break;
    state = foldEvent(state, event);
    last = event;
  }
  if (state !== undefined || last === undefined || last.kind === "deleted") return state;
  throw new RegistryError(
    "not_found",
    `The history does not know how ${modelId} began, so it cannot be said what it was. Restore from a backup.`,
  );
}

function toRevision(modelId: string, state: PastState | undefined): Revision {
  return { modelId, target: state && toPastModel(state) };
}

async function refuseUnknown({ models, history }: Repositories, modelId: string): Promise<void> {
  if ((await models.find(modelId)) !== undefined) return;
  const { items } = await history.list({ modelId, limit: 1 });
  if (items.length === 0) await models.resolve(modelId);
}
