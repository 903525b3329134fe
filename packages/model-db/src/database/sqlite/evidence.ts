import { existsSync, statSync } from "node:fs";

import type Database from "better-sqlite3";

import { RegistryError } from "../../errors.ts";
import { backupNotePath } from "../../maintenance/beside-registry.ts";
import { structureProblems } from "../../maintenance/checks/structure.ts";
import { continuousBackupOf, type ContinuousBackup } from "../../maintenance/continuous-backup.ts";
import { unexplainedGaps } from "../../maintenance/noted-repairs.ts";
import { PageDamage } from "../../maintenance/pages/page-damage.ts";
import { PageFile } from "../../maintenance/pages/page-file.ts";
import type { StoredValue } from "../../maintenance/pages/record.ts";
import { firstRow, lastRow } from "../../maintenance/pages/table-lookup.ts";
import { WriteAheadLog } from "../../maintenance/pages/write-ahead-log.ts";
import type { BackupNote } from "../../maintenance/sidecar.ts";
import { eventChecksum, type EventTable } from "../../schema/event.ts";
import { ballastPath } from "./ballast.ts";
import { block } from "./block.ts";
import { toRegistryError } from "./errors.ts";
import type { Comparison } from "./gate.ts";
import { hasUnfolded, readLogIndex } from "./shared-memory.ts";
import { othersHaveOpen } from "./who-has-open.ts";

const ATTEMPTS = 3;
const PAUSE_MS = 20;
const LOG_HEADER_BYTES = 32;
// No page is where SQLite locks: https://www.sqlite.org/fileformat2.html#the_lock_byte_page
const LOCK_BYTE = 0x4000_0000;
// A row that was written before there were origins has a column less.
const EVENT_COLUMNS: ReadonlySet<number> = new Set([9, 10]);
const REGISTRY_ID = /^[0-9a-f]{32}$/;
// The newest events, which the log is most likely to hold.
const CHECKED_EVENTS = 20;
// A quick check takes about a millisecond for 200 kB: of a larger file it is left to `check`.
const QUICK_CHECK_BYTES = { read: 2 * 1024 * 1024, write: 64 * 1024 * 1024 };

/** What the database file says without its write-ahead log. */
interface MainFile {
  /** A number that each change of the schema changes. */
  readonly schemaCookie: number | undefined;
  readonly registryId: string | undefined;
  readonly newestEvent: { readonly rowid: number; readonly values: readonly StoredValue[] } | undefined;
}

const UNKNOWN: MainFile = { schemaCookie: undefined, registryId: undefined, newestEvent: undefined };

interface Evidence {
  readonly main: MainFile;
  readonly backup: ContinuousBackup | undefined;
  /** The log holds changes, and nobody has the registry open: the last program did not close it. */
  readonly unclean: boolean;
}

/**
 * Looks at the files of a registry that has a log, an index of one, or a backup that follows it.
 *
 * @returns what to compare once a connection can read.
 * @throws RegistryError `database_damaged`
 */
export function examine(path: string, mode: "create" | "write" | "read"): Comparison {
  // Where nobody tells who else has it open, it may be somebody who writes all the time.
  const attempts = othersHaveOpen(path) === undefined ? 10 * ATTEMPTS : ATTEMPTS;
  const evidence = repeatedly(() => collect(path), attempts);
  return (connection) => {
    try {
      repeatedly(() => compare(connection, evidence), ATTEMPTS);
      if (evidence.unclean) quickCheck(connection, QUICK_CHECK_BYTES[mode === "read" ? "read" : "write"]);
    } catch (error) {
      throw toRegistryError(error, path);
    }
  };
}

// Another program may fold or begin the log between two looks; what is damaged stays so.
function repeatedly<T>(look: () => T, attempts: number): T {
  for (let attempt = 1; ; attempt++) {
    try {
      return look();
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).code === "ENOENT";
      if (!(error instanceof RegistryError || isGone) || attempt === attempts) throw error;
      block(PAUSE_MS);
    }
  }
}

function collect(path: string): Evidence {
  const logBytes = sizeOf(`${path}-wal`);
  const backup = continuousBackupOf(path);
  if (sizeOf(path) === 0) {
    if (backup !== undefined) {
      throw damaged(
        path,
        `it is empty or gone, and its backup in ${backup.folder} says that it should not be`,
        backup,
      );
    }
    if (logBytes > LOG_HEADER_BYTES) {
      throw damaged(path, "it is empty or gone, and its write-ahead log holds changes of it");
    }
    // Made by who has written a registry there before; without any file, somebody begins anew.
    if (existsSync(path) && sizeOf(ballastPath(path)) > 0) {
      throw damaged(path, "it is empty, and was a registry");
    }
  }
  const alone = (): boolean => othersHaveOpen(path) !== true;
  if (!alone()) return { main: UNKNOWN, backup, unclean: false };
  checkLog(path, logBytes);
  const main = readMain(path);
  // Whoever has it open has passed; and what they fold into it meanwhile was read by halves.
  return alone()
    ? { main, backup, unclean: logBytes > LOG_HEADER_BYTES }
    : { main: UNKNOWN, backup, unclean: false };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** What a log says of itself, and its index of it. Nobody else may have the registry open. */
function checkLog(path: string, logBytes: number): void {
  const index = readLogIndex(`${path}-shm`);
  const unfolded = hasUnfolded(index);
  if (logBytes <= LOG_HEADER_BYTES) {
    if (unfolded) throw damaged(path, "its write-ahead log is missing or was cut off, and changes with it");
    return;
  }
  try {
    using log = new WriteAheadLog(`${path}-wal`, pageSizeOf(path));
    if (!log.header.intact) throw damaged(path, "its write-ahead log is damaged at the beginning");
    const { committedFrames, lastChecksum, lackedPage } = readFrames(path, log, index?.frames);
    if (lackedPage !== undefined)
      throw damaged(path, `its write-ahead log belongs to a newer file: neither holds page ${lackedPage}`);
    if (index === undefined || index.frames === 0) return;
    if (index.salts !== log.header.salts)
      throw damaged(path, "its write-ahead log is another file's, or an older one");
    if (unfolded && committedFrames < index.frames)
      throw damaged(path, "its write-ahead log was cut off or altered, and changes are lost");
    if (lastChecksum !== undefined && lastChecksum !== index.lastChecksum)
      throw damaged(path, "its write-ahead log is not the one that was written");
  } catch (error) {
    if (error instanceof PageDamage) throw damaged(path, `its write-ahead log is none: ${error.message}`);
    throw error;
  }
}

/**
 * Reads a log as SQLite does, and looks at what it would pass over. A cut-off commit is what a power cut
 * may leave at the end; a commit that the next one builds upon was on the disk, and is damaged if it
 * cannot be read. A log begins anew once all of the one before is in the file, so each page that the
 * file lacks is in it.
 */
function readFrames(
  path: string,
  log: WriteAheadLog,
  indexed: number | undefined,
): { committedFrames: number; lastChecksum: string | undefined; lackedPage: number | undefined } {
  const { pageSize } = log.header;
  const firstLogged = Math.floor(sizeOf(path) / pageSize) + 1;
  const logged = new Set<number>();
  let pageCount = 0;
  let committedFrames = 0;
  let lastChecksum: string | undefined;
  let unreadCommit = false;
  for (const frame of log.frames()) {
    const { index, valid, current, whole, pageNumber, commitPageCount } = frame;
    if (index + 1 === indexed) lastChecksum = frame.checksum;
    if (valid) {
      logged.add(pageNumber);
      if (commitPageCount > 0) [committedFrames, pageCount] = [index + 1, commitPageCount];
      continue;
    }
    if (unreadCommit && current && whole)
      throw damaged(
        path,
        `its write-ahead log is damaged behind frame ${committedFrames}, and changes are lost`,
      );
    unreadCommit = current && commitPageCount > 0;
  }
  let lackedPage: number | undefined;
  for (let page = firstLogged; page <= pageCount && lackedPage === undefined; page++) {
    if (!logged.has(page) && page !== Math.floor(LOCK_BYTE / pageSize) + 1) lackedPage = page;
  }
  return { committedFrames, lastChecksum, lackedPage };
}

function pageSizeOf(path: string): number | undefined {
  try {
    using file = new PageFile(path);
    return file.pageSize;
  } catch {
    return undefined;
  }
}

// What cannot be read here SQLite will not read either, and says so. Where the log was being folded in when
// the power was cut, the file alone is of two times, and a page of it may still be another table's.
function readMain(path: string): MainFile {
  try {
    using file = new PageFile(path);
    const id = firstRow(file, "registry")?.[0];
    const newestEvent = lastRow(file, "model_event");
    if (newestEvent !== undefined && !isEvent(newestEvent)) return UNKNOWN;
    return {
      schemaCookie: file.header.schemaCookie,
      registryId: typeof id === "string" && REGISTRY_ID.test(id) ? id : undefined,
      newestEvent,
    };
  } catch {
    return UNKNOWN;
  }
}

function isEvent({ rowid, values }: NonNullable<MainFile["newestEvent"]>): boolean {
  const [, model_id, kind, actor, at, row_version, before, after, row_checksum, origin = null] = values;
  if (!EVENT_COLUMNS.has(values.length) || values.some((value) => typeof value === "bigint")) return false;
  const fields = { model_id, kind, actor, at, row_version, before, after, origin };
  const event = { event_id: rowid, ...fields } as EventTable;
  // A foreign program's event has no checksum.
  return row_checksum === "" || row_checksum === eventChecksum(event);
}

/** Compares what SQLite shows, the log laid over the file, with the file alone and with the backup. */
function compare(connection: Database.Database, { main, backup }: Evidence): void {
  const path = connection.name;
  const registryId = readOne(connection, "registry", "SELECT registry_id FROM registry") as
    | string
    | undefined;
  if (main.registryId !== undefined && registryId !== main.registryId)
    throw damaged(path, "its write-ahead log is another registry's", backup);
  const newest =
    (readOne(connection, "model_event", "SELECT max(event_id) FROM model_event") as number | null) ?? 0;
  // A migration may have made the history anew, and stands in the log only.
  if (main.schemaCookie === connection.pragma("schema_version", { simple: true }))
    compareHistory(connection, main.newestEvent, newest);
  if (backup === undefined) return;
  // An older schema has no id.
  if (registryId !== undefined && registryId !== backup.registryId) {
    throw damaged(
      path,
      `it is not the registry that is backed up in ${backup.folder}; remove ${backupNotePath(path)} to go on with it all the same`,
    );
  }
  if (backup.loggedEvent !== undefined && newest < backup.loggedEvent) {
    throw damaged(
      path,
      `it ends with change ${newest}, and its backup in ${backup.folder} knows ${backup.loggedEvent}; remove ${backupNotePath(path)} to go on with the older one`,
      backup,
    );
  }
}

// History only grows: what the file has of it, SQLite shows with the log laid over it, and the rest follows.
function compareHistory(
  connection: Database.Database,
  inFile: MainFile["newestEvent"],
  newest: number,
): void {
  const path = connection.name;
  const since = inFile?.rowid ?? 0;
  if (newest < since) throw damaged(path, "its write-ahead log is older than the file");
  if (newest === 0) return;
  const count = connection.prepare("SELECT count(*) FROM model_event WHERE event_id > ?").pluck().get(since);
  // Ids are given one after the other, but that a repair leaves some out and says so.
  if (count !== newest - since && unexplainedGaps(connection, since).next().done !== true)
    throw damaged(path, "its write-ahead log belongs to a newer file: changes are missing");
  const events = connection
    .prepare<[number, number], EventTable>(
      "SELECT * FROM model_event WHERE event_id IN (SELECT event_id FROM model_event ORDER BY event_id DESC LIMIT ?) OR event_id = ? ORDER BY event_id",
    )
    .all(CHECKED_EVENTS, since);
  const altered = events.find(
    (event) => event.row_checksum !== "" && event.row_checksum !== eventChecksum(event),
  );
  if (altered !== undefined)
    throw damaged(path, `change ${altered.event_id} of its history is not what was written`);
  if (inFile === undefined) return;
  const shown = events.find((event) => event.event_id === since);
  const { model_id, kind, actor, at, row_version, before, after } = shown ?? ({} as Partial<EventTable>);
  const values = [model_id, kind, actor, at, row_version, before, after];
  if (values.some((value, index) => value !== inFile.values[index + 1]))
    throw damaged(path, "its write-ahead log is another file's");
}

// `undefined` where an older schema has no such table.
function readOne(connection: Database.Database, table: string, sql: string): unknown {
  const exists = connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(table);
  return exists === undefined ? undefined : connection.prepare(sql).pluck().get();
}

function quickCheck(connection: Database.Database, maxBytes: number): void {
  if (sizeOf(connection.name) > maxBytes) return;
  const [said] = structureProblems(connection, "quick_check", 1);
  if (said !== undefined) throw damaged(connection.name, `after a program did not close it: ${said}`);
}

function damaged(path: string, what: string, backup?: BackupNote): RegistryError {
  const from = backup === undefined ? "" : ` --from ${backup.folder}`;
  return new RegistryError(
    "database_damaged",
    `${path} is damaged: ${what}. Nothing was changed. \`cortex repair${from}\` mends it.`,
  );
}
