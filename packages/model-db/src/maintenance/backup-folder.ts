import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { invalidInput, RegistryError } from "../errors.ts";
import { makeFolder, replaceDurably, syncPath } from "./durable-files.ts";
import { toFileError } from "./file-errors.ts";

const FORMAT = 1;

/** Beside a registry: where backups of it go unless somebody says otherwise. */
export function defaultBackupFolder(location: string): string {
  return `${resolve(location)}.backups`;
}

/**
 * Where the snapshots of a registry go that nobody asked for: the default folder, or where another
 * registry had the same path before, a folder of its own in that.
 *
 * @param registryId `undefined` where the registry has none yet.
 */
export function automaticBackupFolder(location: string, registryId: string | undefined): string {
  const folder = defaultBackupFolder(location);
  const owner = registryOfBackup(folder);
  return owner === undefined || owner === registryId ? folder : join(folder, registryId ?? "older");
}

/**
 * Makes a folder, with those on the way, the backup folder of one registry; it is that for ever.
 *
 * @param registryId `undefined` where the registry has none yet: then the folder is not claimed.
 * @throws RegistryError `invalid_input` when the folder is another registry's, `read_only`,
 *   `disk_full`.
 */
export function claimBackupFolder(folder: string, registryId: string | undefined): void {
  try {
    createFolder(join(folder, "snapshots"));
    if (registryId === undefined) return;
    const owner = registryOfBackup(folder);
    if (owner === undefined) {
      const note = { format: FORMAT, registry_id: registryId };
      replaceDurably(join(folder, "backup.json"), `${JSON.stringify(note)}\n`);
    } else if (owner !== registryId) {
      throw invalidInput(
        "folder",
        `${folder} holds backups of another registry (${owner}; this one is ${registryId}). Choose another folder.`,
      );
    }
  } catch (error) {
    throw toFileError(error, folder);
  }
}

/**
 * The id of the registry whose backups a folder holds; `undefined` where it is no backup folder.
 *
 * @throws RegistryError `schema_too_new` when a newer version of this package wrote it.
 */
export function registryOfBackup(folder: string): string | undefined {
  const path = join(folder, "backup.json");
  if (!existsSync(path)) return undefined;
  let note: { format?: unknown; registry_id?: unknown };
  try {
    note = JSON.parse(readFileSync(path, "utf8")) as typeof note;
  } catch (error) {
    // Snapshots and logs say whose they are, too.
    if (error instanceof SyntaxError) return undefined;
    throw toFileError(error, path);
  }
  if (typeof note.format === "number" && note.format > FORMAT) {
    throw new RegistryError(
      "schema_too_new",
      `${folder} was written by a newer version. Update the program.`,
    );
  }
  return typeof note.registry_id === "string" ? note.registry_id : undefined;
}

/** Makes a folder, and those on the way, for oneself, through to the disk. */
export function createFolder(path: string): void {
  if (existsSync(path)) return;
  createFolder(dirname(resolve(path)));
  // Another process may have been faster.
  if (makeFolder(path, 0o700)) syncPath(dirname(resolve(path)));
}
