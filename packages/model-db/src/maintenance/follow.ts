import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { fileKey } from "../database/sqlite/open-files.ts";
import type { ModelEvent } from "../domain/event.ts";
import { toEventRecord } from "../domain/record.ts";
import { isRegistryError, RegistryError } from "../errors.ts";
import { openRegistry, type Registry } from "../registry.ts";
import { claimBackupFolder } from "./backup-folder.ts";
import { ChangeLogWriter, lastLoggedEventId, readChangeLog } from "./change-log.ts";
import { lockFile } from "./file-lock.ts";
import { inBatches } from "./in-batches.ts";
import { writeBackupNote } from "./sidecar.ts";
import { checkNotBehind, createSnapshot, listSnapshots, waysBack, type Snapshot } from "./snapshots.ts";

/** How to follow a registry; whatever is left out gets the default named here. */
export interface FollowOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** How many snapshots to keep: 2 or more; 3. */
  readonly keep?: number;
  /** How old the newest snapshot may become before a change asks for the next, in milliseconds; 6 hours. */
  readonly snapshotEveryMs?: number;
  /** Is told when it begins to follow, also anew: nothing stands in the way, and a first snapshot is there. */
  readonly onFollowing?: () => void;
  /** Is told of each snapshot. */
  readonly onSnapshot?: (snapshot: Snapshot) => void;
  /** Is told, after each write to the log, of the newest event that is on the disk now. */
  readonly onLogged?: (eventId: number) => void;
}

const SIX_HOURS_MS = 6 * 3_600_000;
const LARGE_LOG_BYTES = 64 * 1024 * 1024;
const LOOK_MS = 200;
// A repair or a restore may be about to put another file in place.
const REOPEN_MS = 30_000;

/**
 * Keeps a backup folder up to date with a registry until the signal: a snapshot now and then, and a log
 * of every change, on the disk a quarter of a second after its commit. Whoever changes the registry does
 * not wait for it. It goes on exactly where another run ended, however that ended. When another file is
 * put in the registry's place, it goes on with that, if that holds what the log holds.
 *
 * @throws RegistryError `database_busy` when another process follows into the folder; `database_damaged`
 *   when the registry is damaged or lacks changes that the folder has; and as {@link createSnapshot}.
 */
export async function followBackup(location: string, folder: string, options: FollowOptions): Promise<void> {
  const path = resolve(location);
  await claim(path, folder);
  using _ = lockFile(
    join(folder, "follow.lock"),
    (holder) => `${folder} is followed into already, by ${holder}. Let it go on, or end it first.`,
  );
  for (let deadline = 0; ;) {
    const file = fileKey(path);
    try {
      if ((await followFile(path, folder, options)) === "ended") return;
      deadline = Date.now() + REOPEN_MS;
    } catch (error) {
      const coming = isRegistryError(error) && ["not_found", "database_damaged"].includes(error.code);
      // A read may notice first that another file is in place, or none.
      if (coming && fileKey(path) !== file) deadline = Date.now() + REOPEN_MS;
      if (!coming || Date.now() > deadline) throw error;
    }
    if (await slept(LOOK_MS, options.signal)) return;
  }
}

// Before the lock, which lies in the folder.
async function claim(location: string, folder: string): Promise<void> {
  await using registry = await openRegistry(location, { mode: "read" });
  claimBackupFolder(folder, registry.registryId);
}

async function followFile(
  location: string,
  folder: string,
  { signal, keep, snapshotEveryMs = SIX_HOURS_MS, onFollowing, onSnapshot, onLogged }: FollowOptions,
): Promise<"ended" | "replaced"> {
  const file = fileKey(location);
  await using registry = await openRegistry(location, { mode: "read" });
  const { registryId } = registry;
  claimBackupFolder(folder, registryId);
  await checkNothingMissing(registry, folder);

  // A repair leaves out ids that are nowhere: the log goes on behind a snapshot that has seen it.
  const { items: repairs } = await registry.history.list({ kind: "repaired", limit: 1 });
  const repairedAt = repairs[0]?.eventId ?? 0;

  const snapshotIfDue = async (changedTo: number, logBytes: number): Promise<boolean> => {
    const newest = listSnapshots(folder)[0];
    const isOld =
      newest === undefined || newest.eventId < repairedAt || Date.now() - newest.createdAt >= snapshotEveryMs;
    if (!isOld && logBytes < LARGE_LOG_BYTES) return false;
    if (newest !== undefined && newest.eventId >= changedTo) return false;
    const snapshot = await createSnapshot(location, folder, keep === undefined ? {} : { keep });
    onSnapshot?.(snapshot);
    return true;
  };
  await snapshotIfDue(await registry.history.latestEventId(), 0);
  using log = new ChangeLogWriter(folder, registryId, {
    after: listSnapshots(folder)[0]!.eventId,
    notBefore: repairedAt,
  });
  writeBackupNote(location, { registryId, folder });
  onFollowing?.();

  const replaced = new AbortController();
  const ended = AbortSignal.any([signal, replaced.signal]);
  const append = async (): Promise<void> => {
    for await (const events of inBatches(registry.watch({ after: log.lastEventId, signal: ended }))) {
      log.append(events);
      onLogged?.(log.lastEventId);
    }
  };
  const look = async (): Promise<void> => {
    while (!(await slept(LOOK_MS, ended))) {
      if (fileKey(location) !== file) return replaced.abort();
      if (await snapshotIfDue(log.lastEventId, log.sizeBytes)) log.rotate();
    }
  };
  // The first failure ends the other, and is what is told.
  const stop = (error: unknown): never => {
    replaced.abort();
    throw error;
  };
  const [appending, looking] = [append().catch(stop), look().catch(stop)];
  await Promise.allSettled([appending, looking]);
  await Promise.all([appending, looking]);
  return signal.aborted ? "ended" : "replaced";
}

/** A registry that ends before its log does, or tells another story, has lost what was acknowledged. */
async function checkNothingMissing(registry: Registry, folder: string): Promise<void> {
  const { location } = registry;
  const logged = lastLoggedEventId(folder) ?? 0;
  const backedUp = Math.max(logged, listSnapshots(folder)[0]?.eventId ?? 0);
  const newest = await registry.history.latestEventId();
  checkNotBehind(location, newest, backedUp, folder);
  if (logged === 0) return;
  for await (const event of readChangeLog(folder, { after: logged - 1 })) {
    const cursor = String(logged - 1);
    const { items } = await registry.history.list({ order: "asc", cursor, limit: 1 });
    if (items[0] !== undefined && isSame(items[0], event)) return;
    throw new RegistryError(
      "database_damaged",
      `Change ${logged} of ${location} is not the one in its backup in ${folder}: the two went different ways. ${waysBack(folder)}`,
    );
  }
}

function isSame(one: ModelEvent, other: ModelEvent): boolean {
  return JSON.stringify(toEventRecord(one)) === JSON.stringify(toEventRecord(other));
}

// True when the wait was cut short.
async function slept(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(milliseconds, undefined, { signal });
    return false;
  } catch {
    return true;
  }
}
