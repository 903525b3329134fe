import type { Availability, FileRole } from "@cortex/model-db";

import type { FileState } from "./verify-file.ts";

/** A file of a model as it was found; `undefined`: it was not looked at. */
export interface FoundFile {
  readonly role: FileRole;
  readonly state: FileState | undefined;
}

/**
 * What a model's availability is, once its files were looked at. `missing`: none of its weights is there (of its
 * files, where it has no weights); `partial`: one of its files is not there or not what it should be. Where all are
 * whole again it is `present`. What could not be read says nothing.
 */
export function availabilityAfter(before: Availability, files: readonly FoundFile[]): Availability {
  if (files.length === 0) return before;
  const weights = files.filter(({ role }) => role === "weights");
  const most = weights.length > 0 ? weights : files;
  if (most.every(({ state }) => state === "missing")) return "missing";
  if (files.some(({ state }) => isAmiss(state))) return "partial";
  const isLost = before === "missing" || before === "partial";
  return isLost && files.every(({ state }) => state === "whole" || state === "unproven") ? "present" : before;
}

function isAmiss(state: FileState | undefined): boolean {
  return state === "missing" || state === "damaged" || state === "changed";
}
