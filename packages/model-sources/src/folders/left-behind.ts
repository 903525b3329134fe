import type { JsonValue, ModelFile, Registry } from "@cortex/model-db";

import { recordedPath } from "../recorded-path.ts";
import { fileOnDisk, type FileOnDisk } from "../space/file-on-disk.ts";
import { hashFile } from "../verify/hash-file.ts";
import type { ModelsFolder } from "./models-folder.ts";
import { folderOf } from "./place-in-folder.ts";

/** A file in its old place, which a move has recorded in another and not come to take away. */
export interface LeftBehind {
  readonly path: string;
  /** The models folder that it lies in. */
  readonly root: string;
  readonly onDisk: FileOnDisk;
}

/**
 * What the last move of a model has left in the old place: by what the history says of it, only where the same is in
 * the new place and no model has it.
 */
export async function leftBehind(
  registry: Registry,
  modelId: string,
  files: readonly ModelFile[],
  folders: readonly ModelsFolder[],
): Promise<LeftBehind[]> {
  const { items } = await registry.history.list({ modelId, kind: "files_changed", limit: 1 });
  const [last] = items;
  const now = new Map(files.map((file) => [file.path, file]));
  const moved = recordsIn(last?.after?.["files"]).flatMap(({ path }) => now.get(path) ?? []);
  const left: LeftBehind[] = [];
  for (const before of recordsIn(last?.before?.["files"])) {
    if (before.source === null || now.has(before.path)) continue;
    const path = recordedPath(registry.location, before.path);
    const [onDisk, place] = await Promise.all([fileOnDisk(path), folderOf(folders, path)]);
    if (onDisk === undefined || onDisk.isLink || place?.folder.isWritable !== true) continue;
    // Somebody has put it there since.
    if (onDisk.writtenAt > last!.at) continue;
    if ((await registry.files.listAt([before.path, path])).length > 0) continue;
    const other = moved.find(({ role, source }) => role === before.role && source === before.source);
    if (other === undefined) continue;
    const there = await fileOnDisk(recordedPath(registry.location, other.path));
    if (there === undefined || !(await isSame(before, onDisk, there))) continue;
    left.push({ path, root: place.folder.path, onDisk });
  }
  return left;
}

async function isSame(before: ModelFile, old: FileOnDisk, now: FileOnDisk): Promise<boolean> {
  if (old.contentId === now.contentId) return true;
  // Of what is written anew on its way nothing is recorded.
  if (before.role === "config" && before.sha256 === null) return true;
  if (old.sizeBytes !== now.sizeBytes) return false;
  const [one, other] = [await hashFile(old.realPath), await hashFile(now.realPath)];
  return one.sha256 === other.sha256;
}

function recordsIn(value: JsonValue | undefined): ModelFile[] {
  return Array.isArray(value) ? (value as unknown as ModelFile[]) : [];
}
