import type { ModelEvent } from "./event.ts";
import type { JsonObject, Model, ModelFile } from "./model.ts";
import { fromFileRecord, fromRecord } from "./record.ts";

/** A model as its history tells of it. */
export interface PastState {
  /** By the words of the columns; what is unknown or empty may be left out, and there may be other words. */
  readonly record: JsonObject;
  /** Records of its files, by path. */
  readonly files: ReadonlyMap<string, JsonObject>;
}

/**
 * The state after the next event of a model.
 *
 * @param state `undefined` where there is no such model, or where its beginning is not known.
 * @returns `undefined` where there is none afterwards.
 */
export function foldEvent(state: PastState | undefined, event: ModelEvent): PastState | undefined {
  const { kind, at, rowVersion, before, after } = event;
  if (kind === "deleted") return undefined;
  if (kind === "created") {
    const { files = [], ...record } = after!;
    return { record: { ...record, row_version: rowVersion }, files: byPath(files as JsonObject[]) };
  }
  if (state === undefined) return undefined;
  if (kind !== "files_changed") {
    return { ...state, record: { ...state.record, ...after, updated_at: at, row_version: rowVersion } };
  }
  const files = new Map(state.files);
  for (const path of byPath(before!["files"] as JsonObject[]).keys()) files.delete(path);
  for (const [path, file] of byPath(after!["files"] as JsonObject[])) files.set(path, file);
  return { record: { ...state.record, updated_at: at, row_version: rowVersion }, files };
}

/** The model of a state, and its files by path; its `rowChecksum` is not of this state. */
export function toPastModel({ record, files }: PastState): { model: Model; files: ModelFile[] } {
  return {
    model: fromRecord(record),
    files: [...files.keys()].toSorted().map((path) => fromFileRecord(files.get(path)!)),
  };
}

function byPath(files: readonly JsonObject[]): Map<string, JsonObject> {
  return new Map(files.map((file) => [file["path"] as string, file]));
}
