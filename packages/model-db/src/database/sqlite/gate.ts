import { statSync } from "node:fs";

import type Database from "better-sqlite3";

import { RegistryError } from "../../errors.ts";
import { backupNotePath, repairMarkerPath } from "../../maintenance/beside-registry.ts";
import { ballastPath } from "./ballast.ts";
import { isOpenHere } from "./open-files.ts";
import { tellsOfUnfolded } from "./shared-memory.ts";

/** Compares a registry, as SQLite shows it, with what its files say by themselves. */
export type Comparison = (connection: Database.Database) => void;

/**
 * Looks at the files of a registry before SQLite does: a write-ahead log that is missing, cut or another
 * file's is folded into the registry without a word otherwise, and an empty file is a healthy database.
 *
 * @returns what is still to be compared once a connection can read; `undefined` where there is nothing.
 * @throws RegistryError `database_damaged`
 */
export async function passGate(
  path: string,
  mode: "create" | "write" | "read",
): Promise<Comparison | undefined> {
  if (statSync(repairMarkerPath(path), { throwIfNoEntry: false }) !== undefined) {
    throw new RegistryError(
      "database_damaged",
      `${path} is being repaired, or a repair was interrupted. Wait for it, or run \`cortex repair\` again.`,
    );
  }
  // Closed cleanly, a registry is one file: then nothing can contradict it but its backup.
  const witnesses = [`${path}-wal`, backupNotePath(path)];
  if (statSync(path, { throwIfNoEntry: false })?.size === 0) witnesses.push(ballastPath(path));
  const isWitnessed = witnesses.some(hasContent);
  const index = `${path}-shm`;
  if (!isWitnessed && !hasContent(index)) return undefined;
  // Who has it open here has passed, and to read its files by hand would drop its locks.
  if (isOpenHere(path)) return undefined;
  // Who only reads leaves an empty log behind, and an index that knows of no other.
  if (!isWitnessed && !tellsOfUnfolded(index)) return undefined;
  const { examine } = await import("./evidence.ts");
  return examine(path, mode);
}

function hasContent(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}
