import { existsSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { basename, join } from "node:path";

import { continuousBackupOf, isRegistryError, openRegistry, shellQuote } from "@cortex/model-db";
import { fingerprintOf, renameDurably } from "@cortex/model-db/durable-files";

import { ACTOR } from "./apply.ts";
import { backupsOf, checkBackup, isUnfinished, retireBackup, type Backup } from "./backup.ts";
import { copyWithRights } from "./copy-with-rights.ts";
import {
  BrokenRegistryError,
  moveBrokenRegistry,
  newestEventOf,
  putBackSnapshot,
  removeRegistry,
  SnapshotError,
  takeSnapshot,
} from "./registry-snapshot.ts";

/** What putting a backup back did. */
export interface RolledBack {
  /** Where the backup is kept now. */
  readonly backup: string;
  /** What the registry was until now; `null` where there was none. */
  readonly before: string | null;
  /** Whether that is no database, or a damaged one: it was moved there as it was. */
  readonly beforeIsBroken: boolean;
  readonly registry: "restored" | "removed";
  /** Old stores that were gone and are there again. */
  readonly sourcesRestored: readonly string[];
  /** Old stores that changed since, and where their copies are; they are left as they are. */
  readonly sourcesChanged: readonly { path: string; copy: string }[];
}

const BEFORE = "registry-before-rollback";
const COPY = /^registry-before-rollback(?:-(\d+))?\.db$/;
const BROKEN = "registry-broken";

/**
 * The backup that a rollback would put back: that of the last migration that wrote something. One that was
 * killed has left a backup, and mostly nothing to undo.
 *
 * @throws RegistryError where the registry cannot be read now.
 */
export async function findRollback(registryPath: string): Promise<Backup | undefined> {
  for (const backup of backupsOf(registryPath)) {
    if (!isUnfinished(backup) || (await hasWritten(registryPath, backup))) return backup;
  }
  return undefined;
}

// Killed after the commit: its changes are in the history. Those of later migrations have newer backups.
async function hasWritten(registryPath: string, { manifest }: Backup): Promise<boolean> {
  try {
    await using registry = await openRegistry(registryPath, { mode: "read" });
    const { items } = await registry.history.list({ actor: ACTOR, since: manifest.created_at, limit: 1 });
    return items.length > 0;
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    if (error.code === "not_found" || error.code === "schema_too_old") return false;
    // It cannot be told from a broken registry, for which the newest backup is the best.
    if (error.code === "not_a_registry" || error.code === "database_damaged") return true;
    throw error;
  }
}

/**
 * What people should know before a registry is put back, as sentences: that others changed or use it since.
 * Empty where nothing can be told.
 */
export async function changesSince(registryPath: string): Promise<string> {
  try {
    await using registry = await openRegistry(registryPath, { mode: "read" });
    const [last] = (await registry.history.list({ limit: 1 })).items;
    const running = (await registry.runs.list()).length;
    const changed =
      last === undefined || last.actor === ACTOR
        ? ""
        : ` It was changed since, last by ${last.actor} at ${new Date(last.at).toISOString()}.`;
    return running === 0 ? changed : `${changed} Models are running: ${running}.`;
  } catch (error) {
    if (isRegistryError(error)) return "";
    throw error;
  }
}

/**
 * Refuses to put a registry back whose continuous backup has followed it beyond that: it would lack what
 * its backup holds, as a damaged one does, and be refused from then on.
 *
 * @throws SnapshotError which says what takes the migration back instead.
 */
export function checkNotFollowed({ path, manifest }: Backup): void {
  const { registry, registry_path: location, created_at } = manifest;
  const followed = continuousBackupOf(location);
  const kept = registry === null ? 0 : newestEventOf(join(path, basename(registry.file)));
  if (followed?.loggedEvent === undefined || followed.loggedEvent <= kept) return;
  const restore = `cortex restore --at ${new Date(created_at).toISOString()} --db ${shellQuote(location)}`;
  throw new SnapshotError(
    `${location} is followed by the backup in ${followed.folder}, which holds the migration: put back from a file, it would be refused as damaged. \`${restore}\` takes the migration back, as new changes.`,
  );
}

/**
 * Puts a backup back: the registry becomes what it was, or goes away where there was none. What it is
 * now is kept beside the backup. A migration never changes the old stores, so one that differs was
 * changed by others and is left alone. A registry that is broken is moved beside the backup as it is.
 *
 * @throws SnapshotError when the backup is damaged, or the registry in use or followed by its continuous
 *   backup; nothing is changed then, and nothing is kept.
 */
export async function rollBack(backup: Backup): Promise<RolledBack> {
  checkBackup(backup);
  checkNotFollowed(backup);
  const { registry, registry_path: given, sources } = backup.manifest;
  const registryPath = existsSync(given) ? realpathSync(given) : given;
  const before = keepRegistry(registryPath, backup.path);
  try {
    if (registry === null) removeRegistry(registryPath);
    else await putBackSnapshot(join(backup.path, basename(registry.file)), registryPath);
  } catch (error) {
    // Refused: the registry goes on, and what was kept of it is of no use to anybody.
    if (
      error instanceof SnapshotError &&
      !(error instanceof BrokenRegistryError) &&
      before?.startsWith(BEFORE)
    ) {
      rmSync(join(backup.path, before), { force: true });
    }
    throw error;
  }

  const sourcesRestored: string[] = [];
  const sourcesChanged: { path: string; file: string }[] = [];
  for (const { path, file, sha256 } of sources) {
    if (!existsSync(path)) {
      // A journal that is gone was finished by the old program: only it knows what became of it.
      if (/-(?:wal|journal)$/.test(path)) continue;
      copyWithRights(join(backup.path, basename(file)), `${path}.restoring`);
      renameDurably(`${path}.restoring`, path);
      sourcesRestored.push(path);
    } else if (fingerprintOf(path).sha256 !== sha256) {
      sourcesChanged.push({ path, file });
    }
  }
  const kept = retireBackup(backup);
  return {
    backup: kept,
    before: before === null ? null : join(kept, before),
    beforeIsBroken: before?.startsWith(BROKEN) ?? false,
    registry: registry === null ? "removed" : "restored",
    sourcesRestored,
    sourcesChanged: sourcesChanged.map(({ path, file }) => ({ path, copy: join(kept, basename(file)) })),
  };
}

// What the registry is now, under a name in the backup's folder; `null` where there is nothing.
function keepRegistry(registryPath: string, folder: string): string | null {
  const names = readdirSync(folder);
  const moved = names.find((name) => name.startsWith(BROKEN) && name.endsWith(".db")) ?? null;
  const newest = Math.max(0, ...names.map(numberOf));
  // Not there on the first try only: an interrupted rollback has moved or removed it already.
  if (!existsSync(registryPath)) return moved ?? (newest === 0 ? null : copyName(newest));
  // What an interrupted rollback kept is what the registry was then: it may have changed since.
  const copy = copyName(newest + 1);
  try {
    takeSnapshot(registryPath, join(folder, copy));
    return copy;
  } catch (error) {
    if (!(error instanceof BrokenRegistryError)) throw error;
    const name = moved === null ? `${BROKEN}.db` : `${BROKEN}-${Date.now()}.db`;
    moveBrokenRegistry(registryPath, join(folder, name));
    return name;
  }
}

function copyName(number: number): string {
  return number === 1 ? `${BEFORE}.db` : `${BEFORE}-${number}.db`;
}

// 0 where a file is no copy.
function numberOf(name: string): number {
  const found = COPY.exec(name);
  return found === null ? 0 : Number(found[1] ?? 1);
}
