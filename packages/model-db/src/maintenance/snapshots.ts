import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";

import type Database from "better-sqlite3";

import { toRegistryError } from "../database/sqlite/errors.ts";
import { passGate } from "../database/sqlite/gate.ts";
import { openConnection } from "../database/sqlite/open-connection.ts";
import { noteOpen } from "../database/sqlite/open-files.ts";
import { findRegistryId, readSchemaVersion } from "../database/sqlite/schema-version.ts";
import { parseInteger } from "../domain/input.ts";
import { RegistryError } from "../errors.ts";
import { SCHEMA_VERSION } from "../migrations/schema-version.ts";
import { claimBackupFolder, defaultBackupFolder, registryOfBackup } from "./backup-folder.ts";
import { lastLoggedEventId, pruneChangeLog } from "./change-log.ts";
import { copyDatabase } from "./copy-database.ts";
import { fingerprintOf, renameDurably, syncPath, writeDurably } from "./durable-files.ts";
import { toFileError } from "./file-errors.ts";
import { parseFileStamp, toFileStamp } from "./file-stamp.ts";
import { CHECKSUMMED_TABLES, checkRows } from "./row-checksums.ts";
import { readBackupNote, writeBackupNote } from "./sidecar.ts";

/** A whole copy of a registry as it was at one moment. */
export interface Snapshot {
  /** Absolute. */
  readonly path: string;
  /** The newest event in it; 0 where nothing had happened. */
  readonly eventId: number;
  /** Unix milliseconds. */
  readonly createdAt: number;
}

const NAME = /^(\d{12})-(\d{8}T\d{9}Z)\.db$/;
const PARTIAL = ".partial-";
const DEFAULT_KEEP = 3;
// From two snapshots on, one that turns out to be damaged costs nothing where a log is kept.
const LEAST_KEEP = 2;
const BUSY_TIMEOUT_MS = 5000;
const HOUR_MS = 3_600_000;

/**
 * Adds a copy of the registry, as it is at one moment, to its backup folder, while others read and
 * write. It is compared with its checksums, and is there only when it is whole and on the disk, its
 * SHA-256 beside it. Older ones go, and what the log needs only for them.
 *
 * @param options.keep how many snapshots to keep, this one among them: 1 or more, 3 when left out;
 *   at least 2 where there is a log.
 * @param options.onProgress how much of the work is done, and of how much, in bytes.
 * @throws RegistryError `not_found`, `not_a_registry`, `database_damaged`, `database_busy`, `disk_full`,
 *   `read_only`, `io_error`; `invalid_input` when the folder is another registry's; `database_damaged`
 *   also when the log in the folder goes on where the registry ends.
 */
export async function createSnapshot(
  location: string,
  folder: string,
  options: { keep?: number; onProgress?: (done: number, total: number) => void } = {},
): Promise<Snapshot> {
  const { keep = DEFAULT_KEEP, onProgress } = options;
  parseInteger("keep", keep, 1);
  if (!existsSync(location)) throw new RegistryError("not_found", `There is no registry at ${location}.`);
  const path = resolve(location);
  const snapshots = join(resolve(folder), "snapshots");
  const partial = join(snapshots, `${PARTIAL}${process.pid}-${Date.now()}.db`);
  try {
    const totalBytes = await prepare(path, folder);
    // Copying is one half of the work, comparing the other.
    const progress = (part: number): void => onProgress?.(Math.round(totalBytes * part), 2 * totalBytes);
    const copying = { from: path, to: partial, busyTimeoutMs: BUSY_TIMEOUT_MS };
    // Who looks at the files by hand would drop the locks of the thread that copies.
    const forget = noteOpen(path);
    const { check, sha256 } = await copyDatabase(copying, (bytes) =>
      progress(Math.min(1, bytes / totalBytes)),
    ).finally(forget);
    if (check !== "ok") throw damaged(check);
    const eventId = await verify(partial, (part) => progress(1 + part));
    syncPath(partial);
    const createdAt = Date.now();
    const name = nameOf(eventId, createdAt);
    writeDurably(join(snapshots, `${name}.sha256`), `${sha256}  ${name}\n`);
    renameDurably(partial, join(snapshots, name));
    prune(folder, keep);
    noteBackup(path, folder);
    return { path: join(snapshots, name), eventId, createdAt };
  } catch (error) {
    for (const left of [partial, `${partial}-journal`]) if (existsSync(left)) rmSync(left, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    // What cannot be opened or is full is the copy; what is damaged is the registry.
    throw toFileError(toRegistryError(error, code === "SQLITE_CORRUPT" ? path : partial), folder);
  }
}

// The first folder that somebody chose is where backups are looked for; whoever follows may name another.
function noteBackup(location: string, folder: string): void {
  const registryId = registryOfBackup(folder);
  const chosen = !resolve(folder).startsWith(defaultBackupFolder(location));
  if (!chosen || registryId === undefined || readBackupNote(location) !== undefined) return;
  try {
    writeBackupNote(location, { registryId, folder });
  } catch {
    // Beside a registry that may only be read.
  }
}

/** The snapshots in a backup folder that are complete, newest first. */
export function listSnapshots(folder: string): Snapshot[] {
  const snapshots = join(resolve(folder), "snapshots");
  if (!existsSync(snapshots)) return [];
  const names = new Set(readdirSync(snapshots));
  return [...names]
    .flatMap((name) => {
      const [, eventId, stamp] = NAME.exec(name) ?? [];
      if (eventId === undefined || stamp === undefined || !names.has(`${name}.sha256`)) return [];
      return [{ path: join(snapshots, name), eventId: Number(eventId), createdAt: parseFileStamp(stamp) }];
    })
    .toSorted((a, b) => b.eventId - a.eventId || b.createdAt - a.createdAt);
}

/**
 * Refuses a registry that ends before its backup does: it has lost what was acknowledged, or went another way.
 *
 * @param backedUp the newest event of the backup in the folder.
 * @throws RegistryError `database_damaged`
 */
export function checkNotBehind(location: string, newest: number, backedUp: number, folder: string): void {
  if (newest >= backedUp) return;
  throw new RegistryError(
    "database_damaged",
    `${location} ends at change ${newest}, but its backup in ${folder} goes to ${backedUp}. ${waysBack(folder)}`,
  );
}

/** What to do about a registry that is not what its backup in a folder says. */
export function waysBack(folder: string): string {
  return `\`cortex repair --from ${folder}\` brings back what is missing; \`cortex restore ${folder}\` makes it what the backup says.`;
}

/** Whether a snapshot's file is still what was written, by its SHA-256. */
export function isIntactSnapshot({ path }: Pick<Snapshot, "path">): boolean {
  try {
    const [written] = readFileSync(`${path}.sha256`, "utf8").split(" ");
    return fingerprintOf(path).sha256 === written;
  } catch {
    return false;
  }
}

/** Looks whether a registry can be copied into a folder. @returns how large it is, in bytes. */
async function prepare(path: string, folder: string): Promise<number> {
  // What SQLite would show may not be what was written.
  const compare = await passGate(path, "read");
  const source = openConnection(path, { readonly: true, busyTimeoutMs: BUSY_TIMEOUT_MS });
  try {
    compare?.(source);
    claimBackupFolder(folder, findRegistryId(source));
    // The log first: whoever follows into the folder goes on writing it.
    const logged = lastLoggedEventId(folder) ?? 0;
    checkNotBehind(path, newestEvent(source), logged, folder);
    removePartial(join(folder, "snapshots"));
    const [pages, pageBytes] = ["page_count", "page_size"].map((name) =>
      source.pragma(name, { simple: true }),
    );
    return (pages as number) * (pageBytes as number);
  } catch (error) {
    throw toRegistryError(error, path);
  } finally {
    source.close();
  }
}

/** Compares a copy with its checksums. @returns its newest event. @throws RegistryError `database_damaged` */
async function verify(path: string, onPart: (part: number) => void): Promise<number> {
  const database = openConnection(path, { readonly: true, busyTimeoutMs: 0 });
  try {
    const version = readSchemaVersion(database, "read");
    // The rows of another schema may have other columns.
    if (version === SCHEMA_VERSION) await verifyRows(database, onPart);
    return newestEvent(database);
  } catch (error) {
    throw toRegistryError(error, path);
  } finally {
    database.close();
  }
}

async function verifyRows(database: Database.Database, onPart: (part: number) => void): Promise<void> {
  const count = (table: string): number =>
    database.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
  const total = CHECKSUMMED_TABLES.reduce((sum, table) => sum + count(table), 0);
  let done = 0;
  for (const table of CHECKSUMMED_TABLES) {
    for (const { rows, unsound } of checkRows(database, table)) {
      const wrong = unsound.find(({ checksum }) => checksum === "wrong");
      if (wrong !== undefined) throw damaged(`${table} ${wrong.subject} does not match its checksum`);
      onPart((done += rows) / Math.max(total, 1));
      // Whoever follows the history in this process goes on in between.
      await setImmediate();
    }
  }
}

function damaged(what: string): RegistryError {
  return new RegistryError(
    "database_damaged",
    `The registry is damaged (${what}): no snapshot was kept. \`cortex check\` says more, \`cortex repair\` mends it.`,
  );
}

function newestEvent(database: Database.Database): number {
  // Schema 1 had no history.
  if (readSchemaVersion(database, "read") < 2) return 0;
  return database.prepare("SELECT coalesce(max(event_id), 0) FROM model_event").pluck().get() as number;
}

function prune(folder: string, keep: number): void {
  // By age: a registry that was put back to an earlier state goes on from fewer events.
  const snapshots = listSnapshots(folder).toSorted((a, b) => b.createdAt - a.createdAt);
  const count = Math.max(keep, lastLoggedEventId(folder) === undefined ? 1 : LEAST_KEEP);
  for (const { path } of snapshots.slice(count)) {
    // Without its checksum it is none.
    rmSync(`${path}.sha256`, { force: true });
    rmSync(path, { force: true });
  }
  pruneChangeLog(folder, Math.min(...snapshots.slice(0, count).map(({ eventId }) => eventId)));
}

// What interrupted runs left: unfinished copies, and halves of a snapshot. One that is under way is younger.
function removePartial(snapshots: string): void {
  const names = new Set(readdirSync(snapshots));
  for (const name of names) {
    const other = name.endsWith(".sha256") ? name.slice(0, -".sha256".length) : `${name}.sha256`;
    if (!name.startsWith(PARTIAL) && names.has(other)) continue;
    const path = join(snapshots, name);
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Infinity };
    if (Date.now() - mtimeMs > HOUR_MS) rmSync(path, { force: true });
  }
}

function nameOf(eventId: number, createdAt: number): string {
  return `${String(eventId).padStart(12, "0")}-${toFileStamp(createdAt)}.db`;
}
