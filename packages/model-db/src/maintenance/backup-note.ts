import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

import { replaceDurably } from "./durable-files.ts";
import { toFileError } from "./file-errors.ts";

const FORMAT = 1;

/** Where the log of a registry's changes is kept. */
export interface BackupNote {
  readonly registryId: string;
  /** Absolute. */
  readonly folder: string;
}

/**
 * Says beside a registry which folder follows it: what opens, checks or repairs the registry compares
 * it with the log there.
 *
 * @throws RegistryError `disk_full`, `read_only`, `io_error`.
 */
export function writeBackupNote(location: string, { registryId, folder }: BackupNote): void {
  const path = notePath(location);
  try {
    const note = { format: FORMAT, registry_id: registryId, folder: resolve(folder) };
    replaceDurably(path, `${JSON.stringify(note)}\n`);
  } catch (error) {
    throw toFileError(error, path);
  }
}

/** What is said beside a registry; `undefined` where nothing is, or nothing that can be read. */
export function readBackupNote(location: string): BackupNote | undefined {
  const path = notePath(location);
  if (!existsSync(path)) return undefined;
  try {
    const { format, registry_id, folder } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    if (format !== FORMAT || typeof registry_id !== "string" || typeof folder !== "string") return undefined;
    return { registryId: registry_id, folder };
  } catch {
    return undefined;
  }
}

function notePath(location: string): string {
  return `${resolve(location)}.backup.json`;
}
