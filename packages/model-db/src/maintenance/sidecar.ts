import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { backupNotePath } from "./beside-registry.ts";
import { replaceDurably } from "./durable-files.ts";

const FORMAT = 1;

/** Where a registry's continuous backup is; it stands beside the registry, so that it outlives it. */
export interface BackupNote {
  readonly registryId: string;
  /** Absolute. */
  readonly folder: string;
}

/** The note about a registry's continuous backup; `undefined` where there is none that can be read. */
export function readBackupNote(location: string): BackupNote | undefined {
  try {
    const note = JSON.parse(readFileSync(backupNotePath(location), "utf8")) as Record<string, unknown>;
    const { registry_id: registryId, folder } = note;
    if (typeof registryId !== "string" || typeof folder !== "string") return undefined;
    return { registryId, folder };
  } catch {
    return undefined;
  }
}

/** Notes where a registry's continuous backup is, through to the disk. */
export function writeBackupNote(location: string, { registryId, folder }: BackupNote): void {
  const note = { format: FORMAT, registry_id: registryId, folder: resolve(folder) };
  replaceDurably(backupNotePath(location), `${JSON.stringify(note)}\n`);
}
