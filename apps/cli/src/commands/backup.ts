import { statSync } from "node:fs";
import { resolve } from "node:path";

import { createSnapshot, followBackup, formatSize, toVisible, type Snapshot } from "@cortex/model-db";

import { Interrupted, MisuseError } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { untilInterrupted } from "../interrupt.ts";
import { locationOf } from "../location.ts";
import { requireRegistry } from "../missing-registry.ts";
import { openExisting } from "../open.ts";
import { toDocument, toLine } from "../output/json.ts";
import { startProgress } from "../output/progress.ts";
import { writeNote, writeOut } from "../output/stream.ts";

/** What `cortex backup` takes. */
export interface BackupOptions extends Everywhere {
  readonly folder: string;
  /** How many snapshots stay. */
  readonly keep?: number;
  readonly follow?: boolean;
}

/** Keeps a snapshot of the registry in a folder; with `follow` goes on until interrupted. */
export async function backup(options: BackupOptions): Promise<void> {
  if (options.folder === "") throw new MisuseError("backup needs the path of a folder.");
  const location = locationOf(options);
  requireRegistry(location);
  if (options.follow === true) await follow(location, options);
  else await keepSnapshot(location, options);
}

async function keepSnapshot(location: string, options: BackupOptions): Promise<void> {
  const progress = startProgress("% of a snapshot", options.quiet);
  let snapshot: Snapshot;
  try {
    snapshot = await createSnapshot(location, options.folder, {
      ...keepOf(options),
      onProgress: (done, total) => progress.update(Math.floor((100 * done) / total)),
    });
  } finally {
    progress.end();
  }
  if (options.quiet === true) writeOut(`${toVisible(snapshot.path)}\n`);
  else if (options.json === true) writeOut(toDocument(toSnapshotRecord(snapshot)));
  else writeNote(describe(snapshot));
}

async function follow(location: string, options: BackupOptions): Promise<void> {
  const signal = untilInterrupted();
  // Brings an older schema up to date, and says so.
  await (await openExisting(options)).close();
  const { folder, json = false, quiet = false } = options;
  if (!json) writeNote(toVisible(`Following ${location} into ${resolve(folder)}, until interrupted`));
  const progress = startProgress("is the last change that is safe", quiet || json);
  try {
    await followBackup(location, folder, {
      ...keepOf(options),
      signal,
      onSnapshot: (snapshot) => {
        progress.end();
        if (json) writeOut(toLine({ snapshot: toSnapshotRecord(snapshot) }));
        else if (!quiet) writeNote(describe(snapshot));
      },
      onLogged: (eventId) => {
        if (json) writeOut(toLine({ logged: eventId }));
        else progress.update(eventId);
      },
    });
  } finally {
    progress.end();
  }
  throw new Interrupted();
}

function keepOf({ keep }: BackupOptions): { keep?: number } {
  return keep === undefined ? {} : { keep };
}

function toSnapshotRecord({ path, eventId, createdAt }: Snapshot): Record<string, string | number> {
  return { path, event_id: eventId, created_at: createdAt, size_bytes: statSync(path).size };
}

function describe({ path, eventId }: Snapshot): string {
  return toVisible(`Snapshot up to change ${eventId}, ${formatSize(statSync(path).size)}: ${path}`);
}
