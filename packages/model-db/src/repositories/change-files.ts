import type { WriteSession } from "../database/query.ts";
import type { ModelFile } from "../domain/model.ts";
import { toFileRecord } from "../domain/record.ts";
import type { Change } from "./change-options.ts";
import { deleteFile, insertFile } from "./file-rows.ts";
import { writeFilesChange, type StoredModel } from "./model-row.ts";

/**
 * Makes the files of a model what they are to be, as one change of it; without a difference nothing is written.
 *
 * @returns whether there was a difference.
 */
export async function changeFiles(
  session: WriteSession,
  stored: StoredModel,
  { before, after }: { readonly before: readonly ModelFile[]; readonly after: readonly ModelFile[] },
  change: Change,
): Promise<boolean> {
  const { modelId } = stored.model;
  const leaving = before.filter((file) => !after.some((other) => isSame(file, other)));
  const coming = after.filter((file) => !before.some((other) => isSame(file, other)));
  if (leaving.length === 0 && coming.length === 0) return false;
  for (const { path } of leaving) await deleteFile(session, modelId, path);
  for (const file of coming) await insertFile(session, modelId, file);
  const records = { before: leaving.map(toFileRecord), after: coming.map(toFileRecord) };
  await writeFilesChange(session, stored, records, change);
  return true;
}

function isSame(one: ModelFile, other: ModelFile): boolean {
  return JSON.stringify(toFileRecord(one)) === JSON.stringify(toFileRecord(other));
}
