import type { WriteSession } from "../database/query.ts";
import { shown } from "../domain/input.ts";
import { MODEL_STATUS, type Model, type ModelFile } from "../domain/model.ts";
import { RegistryError } from "../errors.ts";
import { changeFiles } from "./change-files.ts";
import { parseChangeOptions, type Change } from "./change-options.ts";
import { readFiles } from "./file-rows.ts";
import { byId } from "./model-reader.ts";
import { differenceOf, readForChange, type StoredModel } from "./model-row.ts";
import { changeModel, deleteModel, deleteName, insertModel, insertSearch, namesOf } from "./models.ts";
import type { Scope } from "./scope.ts";

/** What a model is to become. */
export interface Revision {
  readonly modelId: string;
  /** `undefined`: it is to go. Status, versions, checksum and the time of the last change are the registry's own. */
  readonly target: { readonly model: Model; readonly files: readonly ModelFile[] } | undefined;
}

/** What became of the models. */
export interface Revised {
  readonly created: readonly string[];
  /** With the fields that changed, in snake_case. */
  readonly updated: readonly { readonly modelId: string; readonly fields: readonly string[] }[];
  readonly deleted: readonly string[];
}

interface Update {
  readonly stored: StoredModel;
  readonly changed: Model;
  readonly before: readonly ModelFile[];
  readonly after: readonly ModelFile[];
}

/** Models as they are to be, whatever they are now: how a past state is put back. */
export class Revisions {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /**
   * Makes models what they are to be, all of them or none, whatever names they swap: each change with
   * its entry in the history. What is so already is left alone.
   *
   * @throws RegistryError `permission_denied` unless the caller may administer all models, `model_running` when one that is to go is running, `name_taken` when a model
   *   that stays as it is has a name of one of them.
   */
  async apply(revisions: readonly Revision[], options?: { actor?: string | undefined }): Promise<Revised> {
    const change = parseChangeOptions(options, this.#scope);
    change.access?.checkAll("admin");
    return this.#scope.write(
      async (session) => {
        const now = this.#scope.now();
        const stored = new Map<string, StoredModel>();
        for (const { modelId } of revisions) {
          // By its id alone: another model may have it as an alias by now.
          if ((await session.get(byId, { model_id: modelId })) !== undefined) {
            stored.set(modelId, await readForChange(session, modelId, "change", change, now));
          }
        }
        return revise(session, revisions, stored, change);
      },
      { alone: true },
    );
  }
}

async function revise(
  session: WriteSession,
  revisions: readonly Revision[],
  stored: ReadonlyMap<string, StoredModel>,
  change: Change,
): Promise<Revised> {
  const gone = revisions.filter(({ modelId, target }) => {
    const now = stored.get(modelId);
    // Deleted and registered again since, it is another model.
    return now !== undefined && target?.model.createdAt !== now.model.createdAt;
  });
  const running = gone.filter(({ modelId }) => stored.get(modelId)!.model.status === MODEL_STATUS.RUNNING);
  if (running.length > 0) throw modelsRunning(running);
  for (const { modelId } of gone) await deleteModel(session, stored.get(modelId)!, change);

  const updates: Update[] = [];
  for (const { modelId, target } of revisions) {
    const now = stored.get(modelId);
    if (target === undefined || now === undefined || now.model.createdAt !== target.model.createdAt) continue;
    const before = await readFiles(session, modelId);
    updates.push({ stored: now, changed: revised(now.model, target.model), before, after: target.files });
  }
  // Every name is free before any is taken, so that models can swap them.
  for (const {
    stored: { seq, model },
    changed,
  } of updates) {
    const kept = namesOf(changed);
    for (const name of namesOf(model)) if (!kept.has(name)) await session.run(deleteName, { seq, name });
  }
  const updated = [];
  for (const update of updates) {
    const fields = await writeUpdate(session, update, change);
    if (fields.length > 0) updated.push({ modelId: update.stored.model.modelId, fields });
  }

  const created: string[] = [];
  const isGone = new Set(gone.map(({ modelId }) => modelId));
  for (const { modelId, target } of revisions) {
    if (target === undefined || (stored.has(modelId) && !isGone.has(modelId))) continue;
    await insertAgain(session, target, change);
    created.push(modelId);
  }
  const deleted = gone.filter(({ target }) => target === undefined).map(({ modelId }) => modelId);
  return { created, updated, deleted };
}

function revised(now: Model, target: Model): Model {
  const { status, updatedAt, rowVersion, rowChecksum } = now;
  return { ...target, status, updatedAt, rowVersion, rowChecksum };
}

async function writeUpdate(
  session: WriteSession,
  { stored, changed, before, after }: Update,
  change: Change,
): Promise<string[]> {
  const { seq, model } = stored;
  const next = await changeModel(session, stored, changed, change);
  const fields = Object.keys(differenceOf(model, changed)?.after ?? {});
  const hasChanged = await changeFiles(session, { seq, model: next }, { before, after }, change);
  return hasChanged ? [...fields, "files"] : fields;
}

async function insertAgain(
  session: WriteSession,
  { model, files }: NonNullable<Revision["target"]>,
  change: Change,
): Promise<void> {
  const again = { ...model, status: MODEL_STATUS.READY, updatedAt: Date.now(), rowVersion: 1 };
  const draft = { model: again, files: [...files], wantsAlias: false };
  const created = await insertModel(session, draft, change, "fail");
  await session.run(insertSearch, { first: created!.seq, last: created!.seq });
}

function modelsRunning(running: readonly Revision[]): RegistryError {
  const [first] = running;
  const others = running.length === 1 ? "is running" : `and ${running.length - 1} more are running`;
  return new RegistryError(
    "model_running",
    `${shown(first!.modelId)} ${others}, and would have to go. Nothing was changed; stop what runs first.`,
  );
}
