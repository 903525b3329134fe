import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import {
  fingerprintOf,
  makeFolder,
  renameDurably,
  syncPath,
  writeDurably,
  type Fingerprint,
} from "@cortex/model-db/durable-files";

import { copyWithRights } from "./copy-with-rights.ts";
import { freeName } from "./free-name.ts";
import { DATABASE_COMPANIONS } from "./legacy/scratch-copy.ts";
import { SnapshotError, takeSnapshot } from "./registry-snapshot.ts";

/** One file in a backup, and where it is from. */
interface BackupFile extends Fingerprint {
  /** Absolute. */
  readonly path: string;
  /** Its name in the backup's folder. */
  readonly file: string;
}

/** What a backup's `manifest.json` says. */
interface BackupManifest {
  readonly format: 1;
  /** Unix milliseconds. */
  readonly created_at: number;
  readonly registry_path: string;
  /** `null` where there was no registry before. */
  readonly registry: BackupFile | null;
  readonly sources: readonly BackupFile[];
}

/** A complete and checked backup. */
export interface Backup {
  readonly path: string;
  readonly manifest: BackupManifest;
}

const MANIFEST = "manifest.json";
const PARTIAL = ".partial-";
const USED = ".rolled-back";
const UNFINISHED = "unfinished";
const FORMAT = 1;

/** The folder in which the backups of a registry are kept. */
export function backupsFolder(registryPath: string): string {
  return `${registryPath}.backups`;
}

/**
 * Copies the registry, if there is one, and the old stores, each with its rights and checked against its SHA-256. The
 * backup has its name only when it is complete and on disk. It counts as unfinished until
 * {@link finishBackup}: what it is for has not happened yet.
 *
 * @param sources paths of old stores; the journal or log of a database comes with it.
 * @throws SnapshotError when a copy is not what it should be.
 */
export function createBackup(
  registryPath: string,
  sources: readonly string[],
  now: number = Date.now(),
): Backup {
  const folder = backupsFolder(registryPath);
  makeFolder(folder, 0o700);
  removePartial(folder);
  const name = freeName(folder, now, ["", USED]);
  const partial = join(folder, `${PARTIAL}${name}`);
  mkdirSync(partial, { mode: 0o700 });
  try {
    let registry: BackupFile | null = null;
    if (existsSync(registryPath)) {
      const file = "registry.db";
      takeSnapshot(registryPath, join(partial, file));
      registry = { path: registryPath, file, ...fingerprintOf(join(partial, file)) };
    }
    const manifest: BackupManifest = {
      format: FORMAT,
      created_at: now,
      registry_path: registryPath,
      registry,
      sources: sources.flatMap(withCompanions).map((path, index) => copySource(path, partial, index)),
    };
    writeDurably(join(partial, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    writeDurably(join(partial, UNFINISHED), "");
    syncPath(partial);
    const path = join(folder, name);
    renameDurably(partial, path);
    syncPath(dirname(folder));
    return { path, manifest };
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

/** Says that what a backup was made for has happened. */
export function finishBackup({ path }: Backup): void {
  rmSync(join(path, UNFINISHED), { force: true });
  syncPath(path);
}

/** Whether the run that made a backup did not come to say that it is done. */
export function isUnfinished({ path }: Backup): boolean {
  return existsSync(join(path, UNFINISHED));
}

/** The backups of a registry that were not put back yet, newest first. */
export function* backupsOf(registryPath: string): Generator<Backup, undefined> {
  const folder = backupsFolder(registryPath);
  if (!existsSync(folder)) return;
  const names = readdirSync(folder).filter((name) => !name.startsWith(".") && !name.endsWith(USED));
  for (const name of names.toSorted().toReversed()) {
    const path = join(folder, name);
    if (!existsSync(join(path, MANIFEST))) continue;
    yield { path, manifest: JSON.parse(readFileSync(join(path, MANIFEST), "utf8")) as BackupManifest };
  }
}

/**
 * Makes sure that a backup still holds what was put into it.
 *
 * @throws SnapshotError
 */
export function checkBackup({ path, manifest }: Backup): void {
  if (manifest.format !== FORMAT) {
    throw new SnapshotError(`${path} was made by a newer version of cortex-migrate. Use that one.`);
  }
  for (const { file, sha256 } of [manifest.registry, ...manifest.sources].filter((entry) => entry !== null)) {
    const copy = join(path, basename(file));
    if (!existsSync(copy) || fingerprintOf(copy).sha256 !== sha256) {
      throw new SnapshotError(
        `${copy} is not what was backed up: it is gone or changed. Nothing was put back.`,
      );
    }
  }
}

/** Keeps a backup that was put back, out of the way of the next `--rollback`. @returns where it is now. */
export function retireBackup({ path }: Backup): string {
  renameSync(path, `${path}${USED}`);
  return `${path}${USED}`;
}

/** Removes a backup that turned out not to be needed, because nothing was written. */
export function discardBackup({ path }: Backup): void {
  rmSync(path, { recursive: true, force: true });
  const folder = dirname(path);
  if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true, force: true });
}

function copySource(path: string, folder: string, index: number): BackupFile {
  const file = `${index + 1}-${basename(path)}`;
  const copy = join(folder, file);
  const read = copyWithRights(path, copy);
  const written = fingerprintOf(copy);
  if (read.sha256 !== written.sha256) {
    throw new SnapshotError(`The copy of ${path} is not what was read from it. Check the disk.`);
  }
  return { path, file, ...written };
}

function withCompanions(path: string): string[] {
  const companions = DATABASE_COMPANIONS.map((end) => path + end).filter((companion) =>
    existsSync(companion),
  );
  return [path, ...companions];
}

// What an interrupted run left. A run that is under way now is younger.
function removePartial(folder: string): void {
  const HOUR_MS = 3_600_000;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name.startsWith(PARTIAL) && Date.now() - statSync(path).mtimeMs > HOUR_MS) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}
