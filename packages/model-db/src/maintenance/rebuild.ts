import { copyFileSync, existsSync, mkdirSync, renameSync, statSync, utimesSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { RegistryError } from "../errors.ts";
import { assemble, type Source } from "./assemble.ts";
import type { AssemblyReport } from "./assembly-report.ts";
import type { CarriedTable } from "./assembly-report.ts";
import { registryOfBackup } from "./backup-folder.ts";
import { buildRegistry, removeDatabase } from "./build-registry.ts";
import { lastLoggedEventId } from "./change-log.ts";
import { renameDurably, syncPath, takeOverRights } from "./durable-files.ts";
import { lockFile } from "./file-lock.ts";
import { toFileStamp } from "./file-stamp.ts";
import { findIdentity, isSameRegistry, type RegistryIdentity } from "./registry-identity.ts";
import { removeRepairMarker, writeRepairMarker, type RepairMarker } from "./repair-marker.ts";
import { rebuiltContent } from "./repaired-event.ts";
import { readBackupNote } from "./sidecar.ts";
import { isIntactSnapshot, listSnapshots } from "./snapshots.ts";

/** Is told what is under way, how far it is and, where that is known, of how much. */
export type OnProgress = (what: string, done: number, total?: number) => void;

/** What a registry was built anew from, and what came of it. */
export interface RebuildReport extends AssemblyReport {
  /** 32 hexadecimal digits; the same as before. */
  readonly registryId: string;
  /** Absolute: the folder with the files that were in its place; `null` where there were none. */
  readonly setAside: string | null;
  /** Absolute: the backup folder that was used; `null` without one. */
  readonly from: string | null;
  /** Tables of old programs that use the same file; empty where nothing was built. */
  readonly otherTables: readonly CarriedTable[];
  /**
   * Whether users, grants and tokens were all read from the registry's own file; else some may be missing,
   * or be what the backup knew of them. `null` where nothing was built.
   */
  readonly accessComplete: boolean | null;
}

const OPENING_MS = 300;
const FILE_ENDS = ["-wal", "-shm", "-journal", ""];

/**
 * Does something as the only process that puts a file in a registry's place.
 *
 * @throws RegistryError `database_busy`, `not_found` where there is no such folder, `read_only`.
 */
export async function alone<T>(path: string, work: () => Promise<T>): Promise<T> {
  if (!existsSync(dirname(path)))
    throw new RegistryError("not_found", `There is no folder ${dirname(path)}.`);
  using _ = lockFile(
    `${path}.repair.lock`,
    (holder) => `${path} is being repaired by ${holder}. Wait for it to end.`,
  );
  return await work();
}

/**
 * Notes that a registry is built anew: from here on it cannot be opened until that is done.
 *
 * @param options.from a backup folder.
 * @param options.usesFile whether what is in its place now is read, too.
 */
export async function beginRebuild(
  path: string,
  { from, usesFile }: { from: string | undefined; usesFile: boolean },
): Promise<RepairMarker> {
  const startedAt = Date.now();
  const marker: RepairMarker = {
    setAside: `${path}.damaged-${toFileStamp(startedAt)}`,
    startedAt,
    files: FILE_ENDS.map((end) => basename(path) + end).filter((name) =>
      existsSync(join(dirname(path), name)),
    ),
    from: from ?? null,
    usesFile,
  };
  writeRepairMarker(path, marker);
  // Whoever looked for the marker just before has the file open after this, and notices when it goes.
  await sleep(OPENING_MS);
  return marker;
}

/**
 * Sets the files of a registry aside whole, builds a new one, and puts that in their place. Each step can
 * be taken again: when it is interrupted, doing it once more ends the same.
 *
 * @throws RegistryError `database_damaged` where the disk does not keep what is written, `disk_full`.
 */
export async function finishRebuild(
  path: string,
  marker: RepairMarker,
  onProgress: OnProgress | undefined,
): Promise<RebuildReport> {
  moveAside(path, marker);
  const copy = `${path}.repairing-copy`;
  const built = `${path}.repairing`;
  if (marker.usesFile) await copyWhole(join(marker.setAside, basename(path)), copy);
  const from = marker.from ?? undefined;
  const { sources, identity } = sourcesOf(path, existsSync(copy) ? copy : undefined, from);
  const at = marker.startedAt;
  const setAside = marker.files.length > 0 ? marker.setAside : null;
  using assembly = await assemble(sources, { at, onProgress });
  const content = { ...identity, ...rebuiltContent(assembly, setAside, at), carriedFrom: filesOf(sources) };
  const { tables: otherTables, accessFrom } = await buildRegistry(built, content, onProgress);
  // Who could use the registry can go on using it, and nobody else.
  const before = statSync(join(marker.setAside, basename(path)), { throwIfNoEntry: false });
  if (before !== undefined) takeOverRights(built, before);
  renameDurably(built, path);
  removeDatabase(copy);
  removeRepairMarker(path);
  syncPath(dirname(path));
  return {
    ...assembly.report,
    registryId: identity.registryId,
    setAside,
    from: marker.from,
    otherTables,
    accessComplete: accessFrom === copy,
  };
}

/** Says what {@link finishRebuild} would do. @param file what would be read beside the backup. */
export async function rehearseRebuild(
  path: string,
  { file, from }: { file: string | undefined; from: string | undefined },
  onProgress: OnProgress | undefined,
): Promise<RebuildReport> {
  const { sources, identity } = sourcesOf(path, file, from);
  using assembly = await assemble(sources, { at: Date.now(), onProgress });
  return {
    ...assembly.report,
    registryId: identity.registryId,
    setAside: null,
    from: from ?? null,
    otherTables: [],
    accessComplete: null,
  };
}

/** Whether there is anything in a folder to build a registry from. */
export function isBackup(folder: string): boolean {
  return listSnapshots(folder).length > 0 || lastLoggedEventId(folder) !== undefined;
}

/** What to build from: the file's own word first, then the log's, then the newest good snapshot's. */
function sourcesOf(
  path: string,
  file: string | undefined,
  backup: string | undefined,
): { sources: Source[]; identity: RegistryIdentity } {
  const inFile = file === undefined ? undefined : findIdentity(file);
  const owner =
    (backup === undefined ? undefined : registryOfBackup(backup)) ?? readBackupNote(path)?.registryId;
  const inSnapshot = backup === undefined ? undefined : identityInBackup(backup);
  const own =
    inFile !== undefined &&
    (owner === undefined ||
      inFile.registryId === owner ||
      (inSnapshot !== undefined && isSameRegistry(inFile, inSnapshot)));
  const foreign = inFile !== undefined && !own;
  const sources: Source[] = file === undefined || foreign ? [] : [{ origin: "file", path: file }];
  const snapshots = backup === undefined ? [] : listSnapshots(backup);
  const good = snapshots.findIndex((snapshot) => isIntactSnapshot(snapshot));
  // Those that are newer and damaged may still hold something.
  const used = snapshots.slice(0, good === -1 ? undefined : good + 1).toReversed();
  if (backup !== undefined) sources.push({ origin: "change_log", folder: backup });
  for (const snapshot of used) sources.push({ origin: "snapshot", path: snapshot.path });
  // The backup's folder says by itself whose it is.
  const known = own && (owner === undefined || inFile.registryId === owner) ? inFile : inSnapshot;
  return { sources, identity: known ?? newIdentity(owner) };
}

/** What the snapshots of a backup say that they are of, where that is what its folder says. */
export function identityInBackup(backup: string): RegistryIdentity | undefined {
  const owner = registryOfBackup(backup);
  return listSnapshots(backup)
    .map((snapshot) => findIdentity(snapshot.path))
    .find((identity) => identity !== undefined && (owner === undefined || identity.registryId === owner));
}

function filesOf(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => (source.origin === "change_log" ? [] : [source.path]));
}

function newIdentity(registryId: string | undefined): RegistryIdentity {
  const { randomBytes } = process.getBuiltinModule("node:crypto");
  return { registryId: registryId ?? randomBytes(16).toString("hex"), createdAt: Date.now() };
}

/** Moves the registry's files away, the database last: once it is there, all of them are. */
function moveAside(path: string, { setAside: folder, files }: RepairMarker): void {
  if (files.length === 0) return;
  if (!existsSync(folder)) {
    mkdirSync(folder, { mode: 0o700 });
    syncPath(dirname(folder));
  }
  if (existsSync(join(folder, basename(path)))) return;
  for (const name of files) {
    const from = join(dirname(path), name);
    if (existsSync(from)) renameSync(from, join(folder, name));
  }
  syncPath(folder);
  syncPath(dirname(path));
}

const ATTEMPTS = 50;
const PAUSE_MS = 100;

/**
 * Copies a database with its log. A program that still has it open may fold the log into the file
 * meanwhile: so the log is copied first, and all of it again until nothing changes.
 */
async function copyWhole(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    removeDatabase(to);
    const before = stateOf(from);
    for (const end of ["-wal", "-shm", ""]) {
      const found = statSync(from + end, { throwIfNoEntry: false });
      if (found === undefined) continue;
      copyFileSync(from + end, to + end);
      // By its age it is told whether the index of a log is of this start of the machine.
      utimesSync(to + end, found.atime, found.mtime);
    }
    if (stateOf(from) === before || attempt === ATTEMPTS) return;
    await sleep(PAUSE_MS);
  }
}

function stateOf(path: string): string {
  return ["-wal", ""]
    .map((end) => {
      const found = statSync(path + end, { throwIfNoEntry: false });
      return found === undefined ? "" : `${found.size} ${found.mtimeMs}`;
    })
    .join();
}
