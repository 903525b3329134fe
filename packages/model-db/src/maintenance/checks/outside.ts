import { existsSync, readFileSync, statSync, type Stats } from "node:fs";
import { hostname } from "node:os";
import { dirname, resolve } from "node:path";

import type Database from "better-sqlite3";

import { machineTime } from "../../database/machine-time.ts";
import { shown } from "../../domain/input.ts";
import type { RunTable } from "../../schema/run.ts";
import { defaultBackupFolder } from "../backup-folder.ts";
import { backupNotePath } from "../beside-registry.ts";
import { readChangeLog, type LogDamage } from "../change-log.ts";
import { finding, type Look } from "../findings.ts";
import { readBackupNote } from "../sidecar.ts";
import { isIntactSnapshot, listSnapshots } from "../snapshots.ts";

const BATCH = 1000;
const MAX_CONFIG_BYTES = 1024 * 1024;

/** Leases that this machine knows to be of processes that are no more. */
export function* checkLeases(connection: Database.Database): Generator<Look, undefined> {
  const { bootId, tick } = machineTime();
  const runs = connection
    .prepare<[string, number, string], RunTable>(
      "SELECT * FROM model_run WHERE boot_id = ? AND expires_tick_ms >= ? AND node = ? AND pid IS NOT NULL",
    )
    .all(bootId, tick, hostname());
  for (const { model_id, holder, pid } of runs) {
    if (isAlive(pid!)) continue;
    const message = `${shown(model_id)} is leased to ${shown(holder)}, whose process ${pid} has ended.`;
    yield finding("lease_of_dead", model_id, message);
  }
}

/** Whether the continuous backup that the registry is said to have can be reached. */
export function* checkBackupNote(location: string): Generator<Look, undefined> {
  const note = readBackupNote(location);
  const path = backupNotePath(location);
  if (note === undefined && existsSync(path)) {
    yield finding(
      "backup_out_of_reach",
      path,
      `${path} cannot be read, so that nobody knows where the backup is.`,
    );
  }
  if (note === undefined || existsSync(note.folder)) return;
  yield finding(
    "backup_out_of_reach",
    note.folder,
    `The continuous backup in ${note.folder} cannot be reached.`,
  );
}

/** Whether what the backup holds is what was written to it. */
export async function* checkBackup(location: string): AsyncGenerator<Look, undefined> {
  const folder = readBackupNote(location)?.folder ?? defaultBackupFolder(location);
  if (!existsSync(folder)) return;
  for (const snapshot of listSnapshots(folder)) {
    if (!isIntactSnapshot(snapshot))
      yield finding("backup_damaged", snapshot.path, `${snapshot.path} is not what was written.`);
  }
  const damages: LogDamage[] = [];
  for await (const _ of readChangeLog(folder, { onDamage: (damage) => damages.push(damage) }));
  for (const { file, line } of damages)
    yield finding("backup_damaged", file, `Line ${line} of ${file} is not what was written.`);
}

/** The files of the models that should be here. */
export function* checkFiles(connection: Database.Database): Generator<Look, undefined> {
  const page = connection.prepare<
    [string, string, number],
    { model_id: string; path: string; size_bytes: number | null; availability: string }
  >(
    `SELECT model_id, path, model_file.size_bytes, availability FROM model_file JOIN model USING (model_id)
     WHERE (model_id, path) > (?, ?) ORDER BY model_id, path LIMIT ?`,
  );
  for (let [modelId, path] = ["", ""]; ;) {
    const rows = page.all(modelId, path, BATCH);
    for (const row of rows) {
      if (!isHere(row.availability)) continue;
      const { model_id, size_bytes } = row;
      const found = lookAt(resolve(dirname(connection.name), row.path));
      if (typeof found === "string") {
        yield finding("file_gone", model_id, `${row.path}, a file of ${shown(model_id)}, ${found}.`);
      } else if (size_bytes !== null && found.isFile() && found.size !== size_bytes) {
        const message = `${row.path}, a file of ${shown(model_id)}, has ${found.size} bytes and not ${size_bytes}.`;
        yield finding("file_size", model_id, message);
      }
    }
    yield rows.length;
    if (rows.length < BATCH) return;
    ({ model_id: modelId, path } = rows.at(-1)!);
  }
}

/** The YAML files of the models that should be here. */
export async function* checkConfigs(connection: Database.Database): AsyncGenerator<Look, undefined> {
  const page = connection.prepare<
    [number, number],
    { seq: number; model_id: string; config_path: string; availability: string }
  >(
    "SELECT seq, model_id, config_path, availability FROM model WHERE seq > ? AND config_path <> '' ORDER BY seq LIMIT ?",
  );
  for (let seq = -1; ;) {
    const rows = page.all(seq, BATCH);
    for (const { model_id, config_path, availability } of rows) {
      if (!isHere(availability)) continue;
      const path = resolve(dirname(connection.name), config_path);
      const name = `${config_path}, the configuration of ${shown(model_id)},`;
      if (!existsSync(path)) yield finding("config_gone", model_id, `${name} is gone.`);
      else if (!(await isYaml(path))) yield finding("config_invalid", model_id, `${name} cannot be read.`);
    }
    yield rows.length;
    if (rows.length < BATCH) return;
    seq = rows.at(-1)!.seq;
  }
}

async function isYaml(path: string): Promise<boolean> {
  const { parseAllDocuments } = await import("yaml");
  try {
    if (statSync(path).size > MAX_CONFIG_BYTES) return false;
    const text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
    const documents = parseAllDocuments(text);
    return !Array.isArray(documents) || documents.every(({ errors }) => errors.length === 0);
  } catch {
    return false;
  }
}

// A file, or why it cannot be told what it is: others' folders are not for everybody to look into.
function lookAt(path: string): Stats | string {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? "is gone";
  } catch (error) {
    return `cannot be reached (${(error as NodeJS.ErrnoException).code})`;
  }
}

function isHere(availability: string): boolean {
  return availability === "present" || availability === "partial";
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
