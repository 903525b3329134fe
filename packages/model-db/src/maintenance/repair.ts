import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { isOpenHere } from "../database/sqlite/open-files.ts";
import { invalidInput, RegistryError } from "../errors.ts";
import { assemble, type AssemblyReport, type Source } from "./assemble.ts";
import { automaticBackupFolder, registryOfBackup } from "./backup-folder.ts";
import { buildRegistry, removeDatabase } from "./build-registry.ts";
import { carve } from "./carve.ts";
import { lastLoggedEventId } from "./change-log.ts";
import { diagnose, type Diagnosis } from "./diagnose.ts";
import { renameDurably, syncPath } from "./durable-files.ts";
import { toFileError } from "./file-errors.ts";
import { lockFile } from "./folder-lock.ts";
import { findIdentity, type RegistryIdentity } from "./registry-identity.ts";
import { readRepairMarker, repairMarkerPath, writeRepairMarker, type RepairMarker } from "./repair-marker.ts";
import { rebuiltContent } from "./repaired-event.ts";
import { readBackupNote } from "./sidecar.ts";
import { isIntactSnapshot, listSnapshots } from "./snapshots.ts";

/** What a repair did, or would do. */
export interface RepairReport extends AssemblyReport {
  /** 32 hexadecimal digits; the same as before. */
  readonly registryId: string;
  /** What was wrong, as a sentence. */
  readonly problem: string;
  /** Absolute: the folder with the damaged files; `null` where there were none. */
  readonly setAside: string | null;
  /** Absolute: the backup folder that was used; `null` without one. */
  readonly from: string | null;
}

export interface RepairOptions {
  /** A backup folder; else the one that follows the registry, or the one beside it. */
  readonly from?: string | undefined;
  /** Only say what would be done: nothing is changed. */
  readonly dryRun?: boolean | undefined;
  /** Is told how far it is. */
  readonly onProgress?: ((what: string, done: number, total?: number) => void) | undefined;
}

const INTERRUPTED = "An earlier repair was interrupted.";
const OPENING_MS = 300;
const FILE_ENDS = ["-wal", "-shm", "-journal", ""];

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
    if (options.dryRun === true) return await rehearse(path, options);
    if (!existsSync(dirname(path)))
      throw new RegistryError("not_found", `There is no folder ${dirname(path)}.`);
    const lockPath = `${path}.repair.lock`;
    const lock = lockFile(lockPath, `${path} is being repaired by another process.`);
    try {
      return await repairAlone(path, options);
    } finally {
      rmSync(lockPath, { force: true });
      lock[Symbol.dispose]();
    }
  } catch (error) {
    throw toFileError(error, path);
  }
}

async function repairAlone(path: string, options: RepairOptions): Promise<RepairReport | undefined> {
  const begun = readRepairMarker(path);
  if (begun !== undefined) return finish(path, begun, INTERRUPTED, options);
  const diagnosis = await diagnose(path);
  if (diagnosis === undefined) return undefined;
  const backup = findBackup(path, options.from);
  checkSources(path, diagnosis, backup);
  const startedAt = Date.now();
  const marker: RepairMarker = {
    setAside: `${path}.damaged-${new Date(startedAt).toISOString().replaceAll(/[-:.]/g, "")}`,
    startedAt,
    files: FILE_ENDS.map((end) => path + end)
      .filter((file) => existsSync(file))
      .map((file) => basename(file)),
    from: backup ?? null,
  };
  writeRepairMarker(path, marker);
  // Whoever looked for the marker just before has the file open after this, and notices when it goes.
  await sleep(OPENING_MS);
  return finish(path, marker, diagnosis.message, options);
}

/** From the marker on: every step can be taken again. */
async function finish(
  path: string,
  marker: RepairMarker,
  problem: string,
  options: RepairOptions,
): Promise<RepairReport> {
  setAside(path, marker);
  const copy = `${path}.repairing-copy`;
  const built = `${path}.repairing`;
  const damaged = join(marker.setAside, basename(path));
  await copyWhole(damaged, copy);
  const { sources, identity } = sourcesOf(
    path,
    existsSync(copy) ? copy : undefined,
    marker.from ?? undefined,
  );
  const at = marker.startedAt;
  const { onProgress } = options;
  using assembly = await assemble(sources, { at, onProgress });
  const setAsideOrNone = marker.files.length > 0 ? marker.setAside : null;
  await buildRegistry(built, { ...identity, ...rebuiltContent(assembly, setAsideOrNone, at) }, onProgress);
  renameDurably(built, path);
  rmSync(repairMarkerPath(path), { force: true });
  syncPath(dirname(path));
  removeDatabase(copy);
  const { from } = marker;
  return { ...assembly.report, registryId: identity.registryId, problem, setAside: setAsideOrNone, from };
}

async function rehearse(path: string, options: RepairOptions): Promise<RepairReport | undefined> {
  const begun = readRepairMarker(path);
  const diagnosis = begun === undefined ? await diagnose(path) : undefined;
  if (begun === undefined && diagnosis === undefined) return undefined;
  const backup = begun === undefined ? findBackup(path, options.from) : (begun.from ?? undefined);
  if (diagnosis !== undefined) checkSources(path, diagnosis, backup);
  const moved = begun === undefined ? undefined : join(begun.setAside, basename(path));
  const file = [moved, path].find((one) => one !== undefined && existsSync(one));
  const { sources, identity } = sourcesOf(path, file, backup);
  using assembly = await assemble(sources, { at: Date.now(), onProgress: options.onProgress });
  return {
    ...assembly.report,
    registryId: identity.registryId,
    problem: diagnosis?.message ?? INTERRUPTED,
    setAside: begun?.setAside ?? null,
    from: backup ?? null,
  };
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

function isBackup(folder: string): boolean {
  return listSnapshots(folder).length > 0 || lastLoggedEventId(folder) !== undefined;
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
  const expected = readBackupNote(path)?.registryId ?? identity?.registryId;
  if (owner !== undefined && expected !== undefined && owner !== expected) {
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

/** What to build from: the file's own word first, then the log's, then the newest good snapshot's. */
function sourcesOf(
  path: string,
  file: string | undefined,
  backup: string | undefined,
): { sources: Source[]; identity: RegistryIdentity } {
  const inFile = file === undefined ? undefined : findIdentity(file);
  const owner =
    (backup === undefined ? undefined : registryOfBackup(backup)) ?? readBackupNote(path)?.registryId;
  const foreign = inFile !== undefined && owner !== undefined && inFile.registryId !== owner;
  const sources: Source[] = file === undefined || foreign ? [] : [{ origin: "file", path: file }];
  const snapshots = backup === undefined ? [] : listSnapshots(backup);
  const good = snapshots.findIndex((snapshot) => isIntactSnapshot(snapshot));
  // Those that are newer and damaged may still hold something.
  const used = snapshots.slice(0, good === -1 ? undefined : good + 1).toReversed();
  if (backup !== undefined) sources.push({ origin: "change_log", folder: backup });
  for (const snapshot of used) sources.push({ origin: "snapshot", path: snapshot.path });
  const inSnapshot = used
    .map((snapshot) => findIdentity(snapshot.path))
    .find((identity) => identity !== undefined);
  const known = foreign ? inSnapshot : (inFile ?? inSnapshot);
  return { sources, identity: known ?? newIdentity(owner) };
}

function newIdentity(registryId: string | undefined): RegistryIdentity {
  const { randomBytes } = process.getBuiltinModule("node:crypto");
  return { registryId: registryId ?? randomBytes(16).toString("hex"), createdAt: Date.now() };
}

/** Moves the registry's files away, the database last: once it is there, all of them are. */
function setAside(path: string, { setAside: folder, files }: RepairMarker): void {
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
