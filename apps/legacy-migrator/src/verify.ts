import { setImmediate } from "node:timers/promises";

import type { Model, Registry } from "@cortex/model-db";

import type { Applied } from "./apply.ts";
import { decide, type Decision, type Source } from "./decide.ts";
import { isSame, MIGRATED_FIELDS, objectAt } from "./differences.ts";
import { nameOf } from "./merge-entries.ts";

/** A model of which the registry does not hold what the old store said. */
interface Mismatch {
  readonly model_id: string;
  /** The record, for people. */
  readonly from: string;
  readonly field: string;
  readonly expected: unknown;
  readonly found: unknown;
}

export interface Verified {
  /** How many models were compared. */
  readonly compared: number;
  /** How many were changed by somebody else in between, and therefore not compared. */
  readonly changedSince: number;
  readonly mismatchCount: number;
  /** The first of them. */
  readonly mismatches: readonly Mismatch[];
}

const MAX_SHOWN = 100;

/**
 * Reads the old stores and the registry again, and compares them: models that were created field by
 * field, the others for what was still to be added. Changes nothing.
 *
 * @param registry opened after the migration was committed, to see what is on disk.
 */
export async function verifyMigration(
  source: Source,
  registry: Registry,
  { created }: Pick<Applied, "created">,
  onProgress: (done: number) => void = () => undefined,
  signal?: AbortSignal,
): Promise<Verified> {
  const mismatches: Mismatch[] = [];
  let [compared, changedSince, mismatchCount] = [0, 0, 0];
  for await (const batch of decide(source, registry)) {
    for (const item of batch) {
      if (item.kind === "refusal" || item.plan.kind === "refuse") continue;
      compared++;
      const isNew = created[item.number] === 1;
      const model = item.plan.kind === "create" ? undefined : item.plan.model;
      if (model !== undefined && isNew && model.rowVersion !== 1) {
        changedSince++;
        continue;
      }
      for (const mismatch of mismatchesOf(item, model, isNew)) {
        mismatchCount++;
        if (mismatches.length < MAX_SHOWN) mismatches.push(mismatch);
      }
    }
    onProgress(compared);
    await setImmediate();
    signal?.throwIfAborted();
  }
  return { compared, changedSince, mismatchCount, mismatches };
}

function mismatchesOf(
  { leader, wanted, existingFiles, plan }: Decision,
  model: Model | undefined,
  isNew: boolean,
): Mismatch[] {
  const found: Mismatch[] = [];
  const add = (field: string, expected: unknown, actual: unknown): void => {
    found.push({ model_id: leader.modelId, from: nameOf(leader), field, expected, found: actual });
  };
  if (model === undefined) {
    add("model_id", leader.modelId, null);
    return found;
  }
  if (!isNew) {
    if (plan.kind === "update") for (const { field, value } of plan.fields) add(field, value, null);
    return found;
  }
  const expected = wanted.model;
  if (model.modelId !== expected.modelId) add("model_id", expected.modelId, model.modelId);
  const legacy = objectAt(model.metadata, "legacy");
  const { alias: oldAlias, ...rest } = legacy;
  for (const [field, property] of MIGRATED_FIELDS) {
    const value = expected[property] ?? null;
    // A renamed model keeps its old alias in the metadata.
    if (property === "alias" && oldAlias !== undefined && oldAlias === value) continue;
    if (value !== model[property]) add(field, value, model[property]);
  }
  if (expected.createdAt !== model.createdAt) add("created_at", expected.createdAt, model.createdAt);
  if (expected.updatedAt !== model.updatedAt) add("updated_at", expected.updatedAt, model.updatedAt);
  const metadata = oldAlias === undefined ? model.metadata : { ...model.metadata, legacy: rest };
  if (!isSame(metadata, expected.metadata)) add("metadata", expected.metadata, model.metadata);
  // A further name that is somebody else's was reported as left; any other one must be there.
  if (plan.kind === "update") for (const { field, value } of plan.fields) add(field, value, null);
  const byPath = new Map(existingFiles.map((file) => [file.path, file]));
  for (const { path, role, sizeBytes = null } of expected.files ?? []) {
    const file = byPath.get(path);
    if (file?.role !== role || file.sizeBytes !== sizeBytes)
      add("files", { path, role, sizeBytes }, file ?? null);
  }
  return found;
}
