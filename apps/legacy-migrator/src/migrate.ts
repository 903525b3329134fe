import { existsSync, realpathSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { defaultRegistryLocation, isRegistryError, openRegistry, type Registry } from "@cortex/model-db";
import { makeFolder } from "@cortex/model-db/durable-files";

import { ACTOR, applyMigration, previewMigration, type Applied } from "./apply.ts";
import { createBackup, discardBackup, finishBackup, type Backup } from "./backup.ts";
import type { Source } from "./decide.ts";
import { isRegistry, keepOldSchemaOf, moveInto, recoverOldStore } from "./in-place.ts";
import { Interrupted } from "./interrupted.ts";
import { CortexDb } from "./legacy/cortex-db.ts";
import { findDataFolder, type DataFolder } from "./legacy/data-folder.ts";
import { Disk } from "./legacy/disk.ts";
import type { LegacyNote, LegacyStore } from "./legacy/legacy-entry.ts";
import { LegacyStoreError } from "./legacy/legacy-store-error.ts";
import { ModelList } from "./legacy/model-list.ts";
import { usualConfigPaths } from "./legacy/usual-config-paths.ts";
import { MisuseError } from "./misuse-error.ts";
import type { Counts, ReportEntry } from "./report-entry.ts";
import { reportPath } from "./report-path.ts";
import { ReportError, ReportSpool } from "./report-spool.ts";
import { SourceIndex } from "./source-index.ts";
import { verifyMigration, type Verified } from "./verify.ts";

export interface MigrateOptions {
  /** A data folder or a store; the one that the old program used, when left out. */
  readonly from?: string | undefined;
  /** The registry's file; the one that programs of this user share, when left out. */
  readonly to?: string | undefined;
  /** The registry is to be in the old `cortex.db` itself, which the old program goes on using. */
  readonly inPlace?: boolean;
  /** A file for what became of every line and row: a new one, or an earlier report. */
  readonly report?: string | undefined;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
  readonly onEntry?: (entry: ReportEntry) => void;
  readonly onProgress?: (step: string, done: number, total: number, rateUnit?: string) => void;
}

/** What a migration did, or would do. */
export interface Migration {
  readonly dryRun: boolean;
  readonly inPlace: boolean;
  readonly dataFolder: string;
  readonly stores: readonly {
    readonly kind: string;
    readonly path: string;
    readonly notes: readonly LegacyNote[];
  }[];
  readonly hints: readonly string[];
  readonly registry: string;
  readonly counts: Counts;
  readonly changed: boolean;
  /** The folder of the backup; `null` where nothing was written. */
  readonly backup: string | null;
  /** The file with every line and row; `null` where there is none. */
  readonly report: string | null;
  /** `null` for a dry run. */
  readonly verified: Verified | null;
}

/**
 * Moves the models of an old data folder into a registry: backup, one transaction, verification. The old
 * stores are only read.
 *
 * @param useReport is called at the end with every line of the report.
 * @throws LegacyStoreError, RegistryError, SnapshotError, MisuseError; the signal's reason.
 */
export async function migrate(
  options: MigrateOptions,
  useReport?: (migration: Migration, report: ReportSpool) => void,
): Promise<Migration> {
  const { env = process.env, dryRun = false, signal, onProgress = () => undefined } = options;
  const found = findDataFolder(options.from, env);
  const place = options.inPlace === true ? placeInside(found, dryRun) : undefined;
  const folder = place?.folder ?? found;
  const location = place?.location ?? resolve(options.to ?? defaultRegistryLocation(env));
  const isHost = place?.isHost ?? false;
  if (!isHost) refuseSameFile(folder, location);
  const report = options.report === undefined ? undefined : reportPath(options.report, folder, location);

  using open = openStores(folder);
  const { stores, disk } = open;
  const index = new SourceIndex(stores, (store) => {
    signal?.throwIfAborted();
    onProgress("Reading", store.done, store.total);
  });
  const source: Source = { index, dataFolder: folder.path, disk };
  const about = (): Pick<Migration, "dataFolder" | "stores" | "hints" | "registry" | "inPlace"> => ({
    inPlace: place !== undefined,
    dataFolder: folder.path,
    stores: stores.map(({ kind, path, notes }) => ({ kind, path, notes })),
    hints: folder.hints,
    registry: location,
  });
  const callbacks = (spool: ReportSpool | undefined, step: string) => ({
    ...(signal === undefined ? {} : { signal }),
    onEntry(entry: ReportEntry): void {
      spool?.add(entry);
      options.onEntry?.(entry);
    },
    onProgress: (done: number): void => onProgress(step, done, index.size, "models"),
  });
  if (dryRun) {
    await using registry = isHost ? undefined : await openExisting(location);
    using spool = report === undefined && useReport === undefined ? undefined : new ReportSpool(report);
    const { counts, changed } = await previewMigration(source, registry, callbacks(spool, "Planning"));
    spool?.finish();
    const migration = {
      dryRun,
      ...about(),
      counts,
      changed: changed || isHost,
      backup: null,
      report: report ?? null,
      verified: null,
    };
    if (spool !== undefined) useReport?.(migration, spool);
    return migration;
  }

  const wasOlder = !isHost && (await isOlder(location));
  using namedSpool = report === undefined ? undefined : new ReportSpool(report);
  makeFolder(dirname(location));
  onProgress("Backup", 0, 1);
  const backup = createBackup(location, [...(isHost ? [] : folder.databases), ...folder.lists]);
  const ownReport = join(backup.path, "report.jsonl");
  using backupSpool = namedSpool === undefined ? openSpool(ownReport, backup) : undefined;
  const spool = (namedSpool ?? backupSpool)!;
  const giveUp = (error: unknown): never => {
    if (wasOlder) finishBackup(backup);
    else discardBackup(backup);
    throw error;
  };
  let applied: Applied;
  let keepsBackup: boolean;
  // One that moves into the old store is made elsewhere first.
  const made = isHost ? join(backup.path, "moving.db") : location;
  {
    await using registry = await openRegistry(made, { actor: ACTOR }).catch(giveUp);
    const unchanged = (): void => stores.forEach((store) => store.assertUnchanged());
    applied = await applyMigration(source, registry, unchanged, callbacks(spool, "Writing")).catch(giveUp);
    if (isHost) await moveIn(stores, registry).catch(giveUp);
    // A run that changed nothing must not be the one that a rollback undoes.
    keepsBackup = applied.changed || wasOlder || isHost;
    if (keepsBackup) finishBackup(backup);
    // What was written is known from here on only by the report: another run finds it there already.
    finish(spool);
  }
  const keptReport = report ?? (keepsBackup ? ownReport : null);
  let verified: Verified;
  try {
    verified = await verify(location, source, applied, onProgress, signal, keptReport);
  } catch (error) {
    if (!keepsBackup) discardBackup(backup);
    throw error;
  }
  const migration: Migration = {
    dryRun,
    ...about(),
    counts: applied.counts,
    changed: applied.changed || isHost,
    backup: keepsBackup ? backup.path : null,
    report: keptReport,
    verified,
  };
  try {
    useReport?.(migration, spool);
  } finally {
    if (!keepsBackup) discardBackup(backup);
  }
  return migration;
}

/** What was verified was written: opened anew, read-only, after the commit. */
async function verify(
  location: string,
  source: Source,
  applied: Applied,
  onProgress: NonNullable<MigrateOptions["onProgress"]>,
  signal: AbortSignal | undefined,
  report: string | null,
): Promise<Verified> {
  await using registry = await openRegistry(location, { mode: "read" });
  const progress = (done: number): void => onProgress("Verifying", done, source.index.size, "models");
  try {
    return await verifyMigration(source, registry, applied, progress, signal);
  } catch (error) {
    if (signal?.aborted !== true) throw error;
    const kept = report === null ? "" : ` The report is in ${report}.`;
    throw new Interrupted(
      `Interrupted while verifying. Everything is written; run it again to verify it.${kept}`,
      { cause: error },
    );
  }
}

/** Where a registry in the old store itself is, or will be, and what is still to be read. */
function placeInside(
  found: DataFolder,
  dryRun: boolean,
): { folder: DataFolder; location: string; isHost: boolean } {
  const [location] = found.databases;
  if (location === undefined) {
    throw new LegacyStoreError(
      "not_found",
      `${found.path} has no cortex.db that a registry could be put into. Without --in-place, its models go into a registry of their own.`,
    );
  }
  const isHost = !isRegistry(location);
  if (isHost && !dryRun) recoverOldStore(location);
  if (!isHost && !dryRun) keepOldSchemaOf(location);
  const hint = `The registry is in ${location}: name it with --db, or in CORTEX_DB.`;
  const folder = { ...found, hints: [...found.hints, hint] };
  return { folder: isHost ? folder : { ...folder, databases: [] }, location, isHost };
}

/** Puts what was written into the old store, and makes sure that its readers hold up no writer. */
async function moveIn(stores: readonly LegacyStore[], made: Registry): Promise<void> {
  const store = stores.find((one) => one instanceof CortexDb)!;
  await made.close();
  moveInto(store, made.location);
  for (const end of ["-wal", "-shm", ""]) rmSync(made.location + end, { force: true });
  // Whoever opens it to write puts it into write-ahead mode.
  await (await openRegistry(store.path, { actor: ACTOR })).close();
}

interface OpenStores extends Disposable {
  readonly stores: readonly LegacyStore[];
  readonly disk: Disk;
}

// The database first: it is the newer kind, and wins where both know a model.
function openStores({ path, databases, lists }: DataFolder): OpenStores {
  const disk = new Disk();
  const stores: LegacyStore[] = [];
  const dispose = (): void => stores.forEach((store) => store[Symbol.dispose]());
  try {
    for (const database of databases) stores.push(new CortexDb(database));
    for (const list of lists) {
      stores.push(
        new ModelList(list, {
          isFile: (file) => disk.isFile(resolve(path, file)),
          usualConfigPaths: (modelId, author, branch) => usualConfigPaths(path, modelId, author, branch),
        }),
      );
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return { stores, disk, [Symbol.dispose]: dispose };
}

async function openExisting(location: string): Promise<(Registry & AsyncDisposable) | undefined> {
  if (!existsSync(location)) return undefined;
  try {
    return await openRegistry(location, { mode: "read" });
  } catch (error) {
    if (isRegistryError(error) && error.code === "not_found") return undefined;
    throw error;
  }
}

// Before anything is written or copied: a file that is no registry, or a newer one, is left alone. An
// older one will be brought up to date, which is a change too.
async function isOlder(location: string): Promise<boolean> {
  try {
    const registry = await openExisting(location);
    await registry?.close();
    return false;
  } catch (error) {
    if (isRegistryError(error) && error.code === "schema_too_old") return true;
    throw error;
  }
}

function refuseSameFile({ databases, lists }: DataFolder, location: string): void {
  const same = [...databases, ...lists].find((path) => realPath(path) === realPath(location));
  if (same !== undefined)
    throw new MisuseError(`${same} is the old store itself: name another file with --to.`);
}

function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

function openSpool(path: string, backup: Backup): ReportSpool {
  try {
    return new ReportSpool(path);
  } catch (error) {
    discardBackup(backup);
    throw error;
  }
}

function finish(spool: ReportSpool): void {
  try {
    spool.finish();
  } catch (error) {
    const message = `The models are migrated, but there is no report. ${(error as Error).message}`;
    throw new ReportError(message, { cause: error });
  }
}
