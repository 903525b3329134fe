import {
  accessSync,
  constants,
  readdirSync,
  readFileSync,
  readlinkSync,
  statfsSync,
  statSync,
} from "node:fs";
import { arch, platform, release } from "node:os";
import { dirname, resolve } from "node:path";

import type { JsonObject, JsonValue } from "../domain/model.ts";
import { isRegistryError } from "../errors.ts";
import { openRegistry, type Registry } from "../registry.ts";
import { defaultBackupFolder } from "./backup-folder.ts";
import { lastLoggedEventId } from "./change-log.ts";
import { checkRegistry } from "./check.ts";
import { finding, type Finding } from "./findings.ts";
import { readBackupNote } from "./sidecar.ts";
import { listSnapshots, type Snapshot } from "./snapshots.ts";

/** What a bug report asks for, and what is wrong with it. */
export interface BugReport {
  /** As data, in the order in which people want to read it; `null` where it cannot be known. */
  readonly facts: JsonObject;
  readonly findings: readonly Finding[];
}

const MB = 1_000_000;
// Less than a second; of a larger registry it is left to a check.
const QUICK_CHECK_BYTES = 64 * 1024 * 1024;
const DAY_MS = 86_400_000;
const STALE_BACKUP_MS = 7 * DAY_MS;
const LITTLE_SPACE_BYTES = 100 * MB;
// Twice what a write-ahead log is cut back to.
const LARGE_LOG_BYTES = 128 * 1024 * 1024;
const FAR_BEHIND_EVENTS = 1000;

/** Names of what `statfs` calls a file system (https://man7.org/linux/man-pages/man2/statfs.2.html). */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0xef53: "ext4",
  0x58465342: "xfs",
  0x9123683e: "btrfs",
  0x2fc12fc1: "zfs",
  0x1021994: "tmpfs",
  0x794c7630: "overlay",
  0x6969: "nfs",
  0xff534d42: "cifs",
  0xfe534d42: "smb2",
  0x1021997: "9p",
  0x65735546: "fuse",
};
const SHARED_FILE_SYSTEMS: ReadonlySet<string> = new Set(["nfs", "cifs", "smb2", "9p"]);

/**
 * Looks at a registry, at the disk under it, at its backups and at who else has it open. Reads only, and
 * says as much as can be said of a registry that is damaged, or not there.
 *
 * @param location the path of the registry's file.
 */
export async function createBugReport(location: string): Promise<BugReport> {
  const path = resolve(location);
  const findings: Finding[] = [];
  const facts: JsonObject = {
    node: process.version,
    platform: `${platform()} ${release()} ${arch()}`,
    registry: path,
    ...filesOf(path),
    ...diskOf(path, findings),
    ...rightsOf(path, findings),
    processes: processesWith(path),
  };
  Object.assign(facts, await contentsOf(path, findings));
  Object.assign(facts, backupOf(path, facts["newest_event"] ?? null, findings));
  return { facts, findings };
}

function filesOf(path: string): JsonObject {
  return { size_bytes: sizeOf(path), wal_bytes: sizeOf(`${path}-wal`) ?? 0 };
}

function sizeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.size ?? null;
}

// Of the nearest folder that exists.
function diskOf(path: string, findings: Finding[]): JsonObject {
  const folder = existingFolder(path);
  const { type, bavail, bsize } = statfsSync(folder);
  const kind = platform() === "linux" ? (FILE_SYSTEMS[type] ?? `0x${type.toString(16)}`) : null;
  const freeBytes = bavail * bsize;
  if (kind !== null && SHARED_FILE_SYSTEMS.has(kind)) {
    findings.push(
      finding(
        "shared_file_system",
        folder,
        `It is on ${kind}: programs on two machines that write there at once damage a registry.`,
      ),
    );
  }
  if (kind === "tmpfs") {
    findings.push(
      finding(
        "volatile_file_system",
        folder,
        "It is in memory: everything in it is gone when the machine restarts.",
      ),
    );
  }
  const wanted = Math.max(LITTLE_SPACE_BYTES, 2 * (sizeOf(path) ?? 0));
  if (freeBytes < wanted) {
    findings.push(
      finding(
        "little_space",
        folder,
        `${Math.round(freeBytes / MB)} MB are free; a backup, a migration or a repair may need ${Math.round(wanted / MB)} MB.`,
      ),
    );
  }
  return { file_system: kind, free_bytes: freeBytes };
}

function existingFolder(path: string): string {
  let folder = dirname(path);
  while (statSync(folder, { throwIfNoEntry: false }) === undefined && dirname(folder) !== folder) {
    folder = dirname(folder);
  }
  return folder;
}

function rightsOf(path: string, findings: Finding[]): JsonObject {
  const files = [path, `${path}-wal`, `${path}-shm`].filter((file) => sizeOf(file) !== null);
  const folder = existingFolder(path);
  const refused = [...files, folder].filter((file) => !isWritable(file));
  for (const file of refused) {
    findings.push(
      finding(
        "not_writable",
        file,
        "This user may not write it, so that a registry in it can only be read, if at all.",
      ),
    );
  }
  const { mode = null } = statSync(path, { throwIfNoEntry: false }) ?? {};
  return {
    mode: mode === null ? null : (mode & 0o777).toString(8).padStart(3, "0"),
    writable: refused.length === 0,
  };
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Who else has the file or its log open; `null` where the system does not say. */
function processesWith(path: string): JsonValue {
  if (platform() !== "linux") return null;
  const wanted = new Set([path, `${path}-wal`, `${path}-shm`]);
  const found: JsonObject[] = [];
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    try {
      const open = readdirSync(`/proc/${pid}/fd`);
      if (!open.some((fd) => wanted.has(targetOf(`/proc/${pid}/fd/${fd}`)))) continue;
      found.push({ pid: Number(pid), name: readFileSync(`/proc/${pid}/comm`, "utf8").trim() });
    } catch {
      // Another user's, or gone meanwhile.
    }
  }
  return found;
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}

async function contentsOf(path: string, findings: Finding[]): Promise<JsonObject> {
  let registry: Registry | undefined;
  try {
    registry = await openRegistry(path, { mode: "read" });
    const [{ version, latest }, models, newestEvent, runs] = await Promise.all([
      registry.schema(),
      registry.models.count(),
      registry.history.latestEventId(),
      registry.runs.list(),
    ]);
    const { registryId } = registry;
    const walBytes = sizeOf(`${path}-wal`) ?? 0;
    if (walBytes > LARGE_LOG_BYTES) {
      findings.push(
        finding(
          "large_log",
          `${path}-wal`,
          `The write-ahead log has ${Math.round(walBytes / MB)} MB: some program reads at one moment for long.`,
        ),
      );
    }
    await registry.close();
    if ((sizeOf(path) ?? 0) <= QUICK_CHECK_BYTES) {
      for await (const found of checkRegistry(path)) if (found.severity === "damage") findings.push(found);
    }
    return {
      registry_id: registryId,
      schema: version,
      latest_schema: latest,
      models,
      running: runs.length,
      newest_event: newestEvent,
    };
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    findings.push(
      finding(error.code === "database_damaged" ? "unreadable" : "not_opened", path, error.message),
    );
    return { registry_id: null, schema: null, models: null, newest_event: null };
  } finally {
    await registry?.close();
  }
}

function backupOf(path: string, newestEvent: JsonValue, findings: Finding[]): JsonObject {
  const followed = readBackupNote(path)?.folder;
  const folder = followed ?? defaultBackupFolder(path);
  let newest: Snapshot | undefined;
  let logged: number | null = null;
  try {
    [newest] = listSnapshots(folder);
    logged = lastLoggedEventId(folder) ?? null;
  } catch (error) {
    findings.push(finding("backup_out_of_reach", folder, `It cannot be read: ${(error as Error).message}.`));
  }
  const registryExists = sizeOf(path) !== null;
  if (registryExists && (newest === undefined || Date.now() - newest.createdAt > STALE_BACKUP_MS)) {
    findings.push(
      finding(
        "no_recent_backup",
        folder,
        newest === undefined
          ? "There is no backup of this registry that it knows of."
          : `The newest snapshot is ${Math.round((Date.now() - newest.createdAt) / DAY_MS)} days old.`,
      ),
    );
  }
  if (followed !== undefined && typeof newestEvent === "number") {
    const behind = newestEvent - Math.max(logged ?? 0, newest?.eventId ?? 0);
    if (behind > FAR_BEHIND_EVENTS) {
      findings.push(
        finding(
          "backup_behind",
          folder,
          `The continuous backup is ${behind} changes behind: nothing follows the registry.`,
        ),
      );
    }
  }
  return {
    backup_folder: folder,
    backup_followed: logged !== null,
    newest_snapshot_at: newest?.createdAt ?? null,
    newest_snapshot_event: newest?.eventId ?? null,
    last_logged_event: logged,
  };
}
