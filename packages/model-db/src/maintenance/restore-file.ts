import { existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

import { isOpenHere } from "../database/sqlite/open-files.ts";
import { invalidInput, RegistryError } from "../errors.ts";
import { openRegistry } from "../registry.ts";
import { toFileError } from "./file-errors.ts";
import {
  alone,
  beginRebuild,
  finishRebuild,
  isBackup,
  rehearseRebuild,
  type OnProgress,
  type RebuildReport,
} from "./rebuild.ts";
import { readRepairMarker } from "./repair-marker.ts";
import { restoreAsChanges, type ChangesReport } from "./undo.ts";

/** What came of a restore where there was no registry any more that it could be made in. */
export interface RestoreFileReport extends RebuildReport {
  /** What was changed after that to be at the wanted time; `null` for the newest state. */
  readonly changes: ChangesReport | null;
}

/** How to restore; whatever is left out gets the default named here. */
export interface RestoreFileOptions {
  /** Unix milliseconds: the state of that time; left out, the newest that the backup has. */
  readonly at?: number | undefined;
  /** Only say what would be done: nothing is changed. */
  readonly dryRun?: boolean | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/**
 * Puts a registry back from its backup alone, whatever is in its place now: that is set aside whole. Its
 * history is the backup's to the end, and what undoes the part after the wanted time is added to it: so
 * nobody who knows a newer event finds it given to another.
 *
 * @param from a backup folder, or a snapshot's file in one.
 * @throws RegistryError `not_found` where there is no such backup, `invalid_input` when the registry is open in this
 *   process, `database_busy`, `database_damaged` where a repair was interrupted, `disk_full`, `read_only`.
 */
export async function restoreFile(
  location: string,
  from: string,
  options: RestoreFileOptions = {},
): Promise<RestoreFileReport> {
  const { at, dryRun = false, onProgress } = options;
  const path = resolve(location);
  if (isOpenHere(path)) throw invalidInput("location", `${path} is open in this process. Close it first.`);
  const folder = folderOf(from);
  try {
    if (dryRun) {
      const what = { file: undefined, from: folder };
      return { ...(await rehearseRebuild(path, what, onProgress)), changes: null };
    }
    const report = await alone(path, async () => {
      if (readRepairMarker(path) !== undefined) {
        const message = `A repair of ${path} was interrupted. Run \`cortex repair\` again first.`;
        throw new RegistryError("database_damaged", message);
      }
      const marker = await beginRebuild(path, { from: folder, usesFile: false });
      return finishRebuild(path, marker, onProgress);
    });
    return {
      ...report,
      changes: await goBack(path, { at, from: folder === resolve(from) ? undefined : from }),
    };
  } catch (error) {
    throw toFileError(error, path);
  }
}

async function goBack(
  path: string,
  target: { at: number | undefined; from: string | undefined },
): Promise<ChangesReport | null> {
  if (target.at === undefined && target.from === undefined) return null;
  await using registry = await openRegistry(path, { mode: "write", actor: "restore" });
  return await restoreAsChanges(registry, target);
}

function folderOf(from: string): string {
  const path = resolve(from);
  if (!existsSync(path)) throw new RegistryError("not_found", `There is no backup ${path}.`);
  const folder = statSync(path).isDirectory() ? path : dirname(dirname(path));
  if (isBackup(folder)) return folder;
  throw new RegistryError("not_found", `${folder} holds no backup: no snapshot and no log.`);
}
