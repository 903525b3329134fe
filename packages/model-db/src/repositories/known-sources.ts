import type { WriteSession } from "../database/query.ts";
import type { Access } from "../domain/access.ts";
import type { ModelFile } from "../domain/model.ts";
import { readFilesWhere } from "./file-rows.ts";
import { visibilityOf } from "./visibility.ts";

/**
 * The files as somebody may record them. A source says that we have written a file, so that it may be deleted one
 * day: whoever comes through a service can repeat what is recorded of a path, and can say it of no other.
 */
export async function withKnownSources(
  session: WriteSession,
  files: readonly ModelFile[],
  access: Access | undefined,
): Promise<readonly ModelFile[]> {
  if (access === undefined || files.every(({ source }) => source === null)) return files;
  const paths = files.map(({ path }) => path);
  const recorded = await readFilesWhere(session, "path", paths, visibilityOf(access));
  const known = new Set(recorded.map(({ path, source }) => JSON.stringify([path, source])));
  return files.map((file) =>
    known.has(JSON.stringify([file.path, file.source])) ? file : { ...file, source: null },
  );
}
