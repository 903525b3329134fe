import { existsSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";

import { isOpenHere } from "../database/sqlite/open-files.ts";
import { invalidInput, RegistryError } from "../errors.ts";
import { automaticBackupFolder, registryOfBackup } from "./backup-folder.ts";
import { carve } from "./carve.ts";
import { diagnose, type Diagnosis } from "./diagnose.ts";
import { toFileError } from "./file-errors.ts";
import {
  alone,
  beginRebuild,
  finishRebuild,
  identityInBackup,
  isBackup,
  rehearseRebuild,
  type OnProgress,
  type RebuildReport,
} from "./rebuild.ts";
import { findIdentity, isSameRegistry, type RegistryIdentity } from "./registry-identity.ts";
import { readRepairMarker, type RepairMarker } from "./repair-marker.ts";
import { readBackupNote } from "./sidecar.ts";

/** What a repair did, or would do. */
export interface RepairReport extends RebuildReport {
  /** What was wrong, as a sentence. */
  readonly problem: string;
}

/** How to repair; whatever is left out gets the default named here. */
export interface RepairOptions {
  /** A backup folder; left out, the one that follows the registry, or the one beside it. */
  readonly from?: string | undefined;
  /** Only say what would be done: nothing is changed. */
  readonly dryRun?: boolean | undefined;
  readonly onProgress?: OnProgress | undefined;
}

const INTERRUPTED = "An earlier repair was interrupted.";

/**
 * Mends a damaged registry, or one that is gone: sets its files aside whole, builds a new file from what
 * can be read of them and from its backup, and puts that in their place. Whoever has the old file open
 * fails from then on. When it is interrupted, the registry cannot be opened until it is run again, which
 * ends the same.
 *
 * @returns `undefined` where nothing is damaged; then nothing is changed.
 * @throws RegistryError `not_found` or `database_damaged` where there is nothing to build from, `not_a_registry`,
 *   `invalid_input` when the backup is another registry's or the registry is open in this process,
 *   `database_busy` when another repair is under way, `schema_too_new`, `disk_full`, `read_only`, `io_error`.
 */
export async function repairRegistry(
  location: string,
  options: RepairOptions = {},
): Promise<RepairReport | undefined> {
  const path = resolve(location);
  if (isOpenHere(path)) throw invalidInput("location", `${path} is open in this process. Close it first.`);
  try {
    return await (options.dryRun === true
      ? rehearse(path, options)
      : alone(path, () => repair(path, options)));
  } catch (error) {
    throw toFileError(error, path);
  }
}

async function repair(path: string, { from, onProgress }: RepairOptions): Promise<RepairReport | undefined> {
  const begun = readRepairMarker(path);
  if (begun !== undefined) return { ...(await finishRebuild(path, begun, onProgress)), problem: INTERRUPTED };
  // A log alone may hold a whole young registry; it is looked at as what belongs to a file.
  if (!existsSync(path) && existsSync(`${path}-wal`)) writeFileSync(path, "");
  const diagnosis = await diagnose(path);
  if (diagnosis === undefined) return undefined;
  const backup = findBackup(path, from);
  checkSources(path, diagnosis, backup);
  const marker = await beginRebuild(path, { from: backup, usesFile: true });
  return { ...(await finishRebuild(path, marker, onProgress)), problem: diagnosis.message };
}

async function rehearse(
  path: string,
  { from, onProgress }: RepairOptions,
): Promise<RepairReport | undefined> {
  const begun = readRepairMarker(path);
  if (begun !== undefined) {
    const what = { file: fileOf(path, begun), from: begun.from ?? undefined };
    const report = await rehearseRebuild(path, what, onProgress);
    return { ...report, setAside: begun.setAside, problem: INTERRUPTED };
  }
  const diagnosis = await diagnose(path);
  if (diagnosis === undefined) return undefined;
  const backup = findBackup(path, from);
  checkSources(path, diagnosis, backup);
  const what = { file: existsSync(path) ? path : undefined, from: backup };
  return { ...(await rehearseRebuild(path, what, onProgress)), problem: diagnosis.message };
}

function fileOf(path: string, { usesFile, setAside }: RepairMarker): string | undefined {
  return [join(setAside, basename(path)), path].find((file) => usesFile && existsSync(file));
}

/** The backup folder of a registry, checked where it was named. */
function findBackup(path: string, named: string | undefined): string | undefined {
  if (named !== undefined) {
    const folder = resolve(named);
    if (isBackup(folder)) return folder;
    throw new RegistryError("not_found", `${folder} holds no backup: no snapshot and no log.`);
  }
  const note = readBackupNote(path);
  const id = note?.registryId ?? identityIn(path)?.registryId;
  return [note?.folder, automaticBackupFolder(path, id)].find(
    (folder) => folder !== undefined && isBackup(folder),
  );
}

// Before anything is moved: what would be lost by an attempt stays as it is.
function checkSources(path: string, { kind, message }: Diagnosis, backup: string | undefined): void {
  if (backup === undefined && kind === "missing") {
    throw new RegistryError(
      "not_found",
      `${message} Nor is there a backup of one: name its folder with --from.`,
    );
  }
  const identity = identityIn(path);
  if (backup === undefined && identity === undefined && !holdsRows(path)) {
    throw new RegistryError(
      kind === "other" ? "not_a_registry" : "database_damaged",
      `${message} Nothing of a registry is in it, and there is no backup: name its folder with --from.`,
    );
  }
  const owner = backup === undefined ? undefined : registryOfBackup(backup);
  // What is noted beside the registry says which one belongs there.
  const noted = readBackupNote(path)?.registryId;
  const expected = noted ?? identity?.registryId;
  const inBackup = backup === undefined ? undefined : identityInBackup(backup);
  const same =
    noted === undefined &&
    identity !== undefined &&
    inBackup !== undefined &&
    isSameRegistry(identity, inBackup);
  if (owner !== undefined && expected !== undefined && owner !== expected && !same) {
    throw invalidInput(
      "from",
      `${backup} holds backups of another registry (${owner}; this one is ${expected}). Name the right one with --from.`,
    );
  }
}

function identityIn(path: string): RegistryIdentity | undefined {
  return existsSync(path) ? findIdentity(path) : undefined;
}

function holdsRows(path: string): boolean {
  return existsSync(path) && carve(path).next().done !== true;
}
