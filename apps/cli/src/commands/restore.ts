import {
  isRegistryError,
  restoreAsChanges,
  restoreFile,
  toVisible,
  type ChangesReport,
  type ErrorCode,
  type Registry,
  type RegistryError,
  type RestoreFileReport,
} from "@cortex/model-db";

import { confirm, requireTerminal } from "../confirm.ts";
import { MisuseError } from "../errors.ts";
import { toModelId } from "../event-filter.ts";
import type { Everywhere } from "../everywhere.ts";
import { locationOf, openForWriting } from "../open.ts";
import { describeChangeList, toChangedIds, toUpdatedDocument } from "../output/change-list.ts";
import { toDocument } from "../output/json.ts";
import { describeRebuilt, printRebuilt, toRebuiltDocument, withProgress } from "../output/rebuilt.ts";
import { writeNote, writeOut } from "../output/stream.ts";

/** What `cortex restore` takes. */
export interface RestoreOptions extends Everywhere {
  /** A backup folder or a snapshot; left out, the registry's own history. */
  readonly from?: string;
  /** Unix milliseconds. */
  readonly at?: number;
  readonly model?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** Makes the registry what it was, by new changes, after showing them and asking. */
export async function restore(options: RestoreOptions): Promise<void> {
  const { from, at, yes = false, dryRun = false } = options;
  if (from === undefined && at === undefined) {
    throw new MisuseError("What to go back to? --at <time>, a backup folder, or a snapshot in one.");
  }
  if (!yes && !dryRun) requireTerminal("restore");
  const opened = await openOrRefusal(options);
  if (isRegistryError(opened)) return restoreWhole(opened, options);
  await using registry = opened;
  const modelId = options.model === undefined ? undefined : await toModelId(registry, options.model);
  const change = (rehearsal: boolean): Promise<ChangesReport> =>
    restoreAsChanges(registry, { from, at }, { modelId, dryRun: rehearsal });
  if (dryRun || !yes) {
    const planned = await change(true);
    if (dryRun || isNothing(planned)) return print(planned, options);
    writeNote(describeChangeList(planned, true));
    await confirm(`Make ${modelId === undefined ? "the registry" : modelId} what it was?`);
  }
  print(await change(false), options);
}

// What it could be made in is gone, or is none any more: then it comes whole from a backup.
const REPLACED: ReadonlySet<ErrorCode> = new Set(["not_found", "database_damaged", "not_a_registry"]);

async function openOrRefusal(options: RestoreOptions): Promise<Registry | RegistryError> {
  try {
    return await openForWriting(options);
  } catch (error) {
    const { from, model } = options;
    if (!isRegistryError(error) || !REPLACED.has(error.code)) throw error;
    if (from === undefined || model !== undefined) throw error;
    return error;
  }
}

async function restoreWhole(refusal: RegistryError, options: RestoreOptions): Promise<void> {
  const { from, at, yes = false, dryRun = false } = options;
  const run = (rehearsal: boolean): Promise<RestoreFileReport> =>
    withProgress(options.quiet, (onProgress) =>
      restoreFile(locationOf(options), from!, { at, dryRun: rehearsal, onProgress }),
    );
  let report = await run(dryRun || !yes);
  if (!yes && !dryRun) {
    writeNote(`${toVisible(refusal.message)}\n${describeRebuilt(report, true)}`);
    await confirm("Put this in its place?");
    report = await run(false);
  }
  if (options.json === true) writeOut(toDocument({ dry_run: dryRun, ...toRebuiltDocument(report) }));
  else {
    printRebuilt(report, options);
    if (options.quiet !== true) writeNote(describeRebuilt(report, dryRun));
    if (report.changes !== null) print(report.changes, options);
  }
}

function print(report: ChangesReport, options: RestoreOptions): void {
  const { created, updated, deleted, eventId, snapshot } = report;
  if (options.quiet === true) {
    writeOut(toChangedIds(report));
  } else if (options.json === true) {
    const changed = toUpdatedDocument(updated);
    const dryRun = options.dryRun === true;
    const kept = snapshot?.path ?? null;
    writeOut(
      toDocument({ dry_run: dryRun, event_id: eventId, created, updated: changed, deleted, snapshot: kept }),
    );
  } else if (isNothing(report)) {
    writeNote("Nothing to do: it is so already.");
  } else {
    writeNote(describeChangeList(report, options.dryRun === true));
    if (snapshot !== null) writeNote(toVisible(`As it was before: ${snapshot.path}`));
  }
}

function isNothing({ created, updated, deleted }: ChangesReport): boolean {
  return created.length + updated.length + deleted.length === 0;
}
