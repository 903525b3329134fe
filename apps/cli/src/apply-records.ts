import {
  isRegistryError,
  MODEL_FIELDS,
  nearest,
  RegistryError,
  toProperties,
  toRecord,
  type JsonObject,
  type JsonValue,
  type Model,
  type ModelUpdate,
  type NewModel,
  type NewModelFile,
  type Repositories,
} from "@cortex/model-db";

import type { FileRecord } from "./read-records.ts";
import { quote } from "./values.ts";

/** What was done, or would be. */
export interface Outcome {
  readonly created: string[];
  readonly updated: { readonly modelId: string; readonly fields: readonly string[] }[];
  readonly deleted: string[];
  /** Not named, and not deleted: they are pinned. */
  readonly kept: string[];
  unchanged: number;
}

// The registry keeps these itself: a file may name them, as an export does, and they change nothing.
const KEPT = new Set(["status", "updated_at", "last_used_at", "row_version", "row_checksum"]);
const PROPERTY = new Map<string, string>(MODEL_FIELDS.map(({ name, property }) => [name, property]));

/**
 * Brings the models to what records say. Fields that a record does not name stay as they are; the
 * times of a record count only where it creates a model.
 * @param records the file; read once, or twice with `prune`
 * @param prune deletes the models that no record names, unless they are pinned: of those, the ones for
 *   which it says yes. A file without any record deletes nothing and is refused: whatever was to fill it failed
 * @param onRecord is told how many records are done
 * @throws RegistryError with the line in its message; the transaction it runs in must be given up then
 */
export async function applyRecords(
  repositories: Repositories,
  records: () => AsyncIterable<FileRecord>,
  prune: ((modelId: string) => boolean) | undefined,
  onRecord: (done: number) => void,
): Promise<Outcome> {
  const outcome: Outcome = { created: [], updated: [], deleted: [], kept: [], unchanged: 0 };
  // First, so that the names of what goes are free.
  if (prune !== undefined) await deleteOthers(repositories, await idsOf(records()), prune, outcome);
  const state: State = { repositories, outcome, done: new Set(), yielded: new Map() };
  for await (const { place, record } of records()) {
    await placed(place, () => applyRecord(state, record));
    onRecord(state.done.size);
  }
  const [left] = state.yielded;
  if (left !== undefined) {
    const [modelId, [yielded]] = left;
    throw new RegistryError(
      "name_taken",
      `${quote(yielded!.name)} means ${modelId}, which the file does not name.`,
    );
  }
  return outcome;
}

interface State {
  readonly repositories: Repositories;
  readonly outcome: Outcome;
  /** Ids of the records so far. */
  readonly done: Set<string>;
  /** Names that models gave to an earlier record, in the hope that their own record agrees. */
  readonly yielded: Map<string, readonly { readonly name: string; readonly field: "alias" | "aliases" }[]>;
}

async function applyRecord(state: State, record: JsonObject): Promise<void> {
  checkKeys(record);
  const modelId = idOf(record);
  if (state.done.has(modelId)) throw invalid(`${quote(modelId)} is there twice.`);
  const { models } = state.repositories;
  const before = await models.find(modelId);
  const unsaid = state.yielded.get(modelId)?.find(({ field }) => !Object.hasOwn(record, field));
  if (unsaid !== undefined) {
    const told = `${quote(unsaid.name)} means ${modelId}, and a record before this one wants it: name its ${unsaid.field} here.`;
    throw new RegistryError("name_taken", told);
  }
  state.yielded.delete(modelId);
  if (before === undefined) {
    await withNames(state, record, async () => models.create(toNewModel(record)));
    state.outcome.created.push(modelId);
  } else {
    await withNames(state, record, async () => models.update(modelId, toUpdate(record, before)));
    if (record["files"] !== undefined) await putFiles(state.repositories, modelId, record["files"]);
    const after = await models.get(modelId);
    const fields = changedFields(before, after, record["files"] !== undefined);
    if (after.rowVersion === before.rowVersion) state.outcome.unchanged += 1;
    else state.outcome.updated.push({ modelId, fields });
  }
  state.done.add(modelId);
}

/** Where names are taken, takes them from models whose own records come later: two models can swap names. */
async function withNames(state: State, record: JsonObject, change: () => Promise<Model>): Promise<void> {
  try {
    await change();
  } catch (error) {
    if (!isRegistryError(error) || error.code !== "name_taken" || !(await takeNames(state, record)))
      throw error;
    await change();
  }
}

async function takeNames({ repositories, done, yielded }: State, record: JsonObject): Promise<boolean> {
  const wanted = [record["alias"], record["aliases"]].flat().filter((name) => typeof name === "string");
  const owners = await repositories.models.resolveMany(wanted);
  let taken = 0;
  for (const [name, owner] of owners) {
    const { modelId } = owner;
    if (modelId === record["model_id"] || modelId === name || done.has(modelId)) continue;
    await repositories.models.changeAliases(modelId, { remove: [name] });
    const field = owner.alias === name ? "alias" : "aliases";
    yielded.set(modelId, [...(yielded.get(modelId) ?? []), { name, field }]);
    taken += 1;
  }
  return taken > 0;
}

async function putFiles({ files }: Repositories, modelId: string, wanted: JsonValue): Promise<void> {
  if (!Array.isArray(wanted)) throw invalid("files must be a list.");
  const records = wanted.map(toNewFile);
  for (const file of await files.list(modelId)) {
    if (!records.some(({ path }) => path === file.path)) await files.delete(modelId, file.path);
  }
  for (const file of records) await files.put(modelId, file);
}

async function deleteOthers(
  { models }: Repositories,
  named: ReadonlySet<string>,
  prune: (modelId: string) => boolean,
  outcome: Outcome,
): Promise<void> {
  for await (const { modelId, pinned } of models.all({ sort: { field: "model_id" } })) {
    if (named.size === 0) {
      throw invalid(
        "The file names no model at all, and --prune would delete every one. Nothing was changed.",
      );
    }
    if (named.has(modelId)) continue;
    if (pinned) outcome.kept.push(modelId);
    if (pinned || !prune(modelId)) continue;
    await models.delete(modelId);
    outcome.deleted.push(modelId);
  }
}

async function idsOf(records: AsyncIterable<FileRecord>): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const { place, record } of records) ids.add(await placed(place, async () => idOf(record)));
  return ids;
}

function idOf(record: JsonObject): string {
  const modelId = record["model_id"];
  if (typeof modelId === "string" && modelId !== "") return modelId;
  throw invalid("model_id is missing: the id of the model, a text.");
}

function checkKeys(record: JsonObject): void {
  for (const key of Object.keys(record)) {
    if (PROPERTY.has(key) || key === "files") continue;
    const near = nearest(key, [...PROPERTY.keys(), "files"]);
    throw invalid(`there is no field ${quote(key)}.${near === undefined ? "" : ` Did you mean ${near}?`}`);
  }
}

function toNewModel(record: JsonObject): NewModel {
  const { files, ...fields } = record;
  const kept = Object.entries(fields).filter(
    ([name]) => !KEPT.has(name) || name === "updated_at" || name === "last_used_at",
  );
  const model = Object.fromEntries(kept.map(([name, value]) => [PROPERTY.get(name)!, value]));
  if (files === undefined) return model as unknown as NewModel;
  if (!Array.isArray(files)) throw invalid("files must be a list.");
  return { ...model, files: files.map(toNewFile) } as unknown as NewModel;
}

function toUpdate(record: JsonObject, before: Model): ModelUpdate {
  const named = Object.entries(record).filter(
    ([name]) => !KEPT.has(name) && name !== "model_id" && name !== "created_at" && name !== "files",
  );
  const update: Record<string, JsonValue> = Object.fromEntries(
    named.map(([name, value]) => [PROPERTY.get(name)!, value]),
  );
  const { metadata } = update;
  if (isObject(metadata)) update["metadata"] = toMergePatch(before.metadata, metadata);
  return update;
}

/** The merge patch (RFC 7396) that makes one object of another: what is gone becomes `null`. */
function toMergePatch(from: JsonObject, to: JsonObject): JsonObject {
  const gone = Object.keys(from).filter((key) => !Object.hasOwn(to, key));
  return Object.fromEntries([
    ...gone.map((key): [string, JsonValue] => [key, null]),
    ...Object.entries(to).map(([key, value]): [string, JsonValue] => {
      const old = Object.hasOwn(from, key) ? from[key] : undefined;
      return [key, isObject(value) && isObject(old) ? toMergePatch(old, value) : value];
    }),
  ]);
}

function toNewFile(record: JsonValue): NewModelFile {
  if (!isObject(record)) throw invalid("files must be a list of objects.");
  return toProperties(record) as unknown as NewModelFile;
}

function changedFields(before: Model, after: Model, files: boolean): string[] {
  const [old, now] = [toRecord(before), toRecord(after)];
  const fields = MODEL_FIELDS.map(({ name }) => name).filter(
    (name) => !KEPT.has(name) && JSON.stringify(old[name]) !== JSON.stringify(now[name]),
  );
  return fields.length === 0 && files ? ["files"] : fields;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function placed<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isRegistryError(error)) error.message = `${place}: ${error.message}`;
    throw error;
  }
}

function invalid(message: string): RegistryError {
  return new RegistryError("invalid_input", message);
}
