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
import { locationOf } from "../location.ts";
import { openForWriting } from "../open.ts";
import { describeChangeList, toChangedIds, toUpdatedDocument } from "../output/change-list.ts";
import { toDocument } from "../output/json.ts";
import { describeRebuilt, printRebuilt, toRebuiltDocument, withProgress } from "../output/rebuilt.ts";
import { writeNote, writeOut } from "../output/stream.ts";
import { formatExact } from "../output/time.ts";

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
    if (at !== undefined) writeNote(goesBack(at));
    await confirm("Put this in its place?");
    report = await run(false);
  }
  if (options.json === true) {
    const { changes } = report;
    writeOut(
      toDocument({
        dry_run: dryRun,
        ...toRebuiltDocument(report),
        changes: changes && toChangesDocument(changes, dryRun),
      }),
    );
  } else {
    printRebuilt(report, options);
    if (options.quiet !== true) writeNote(describeRebuilt(report, dryRun));
    if (dryRun && at !== undefined) writeNote(goesBack(at));
    if (report.changes !== null) print(report.changes, options);
  }
}

function goesBack(at: number): string {
  return `That is its newest state; from there it goes back to ${formatExact(at)}, as a change of its history.`;
}

function print(report: ChangesReport, options: RestoreOptions): void {
  const { snapshot } = report;
  if (options.quiet === true) {
    writeOut(toChangedIds(report));
  } else if (options.json === true) {
    writeOut(toDocument(toChangesDocument(report, options.dryRun === true)));
  } else if (isNothing(report)) {
    writeNote("Nothing to do: it is so already.");
  } else {
    writeNote(describeChangeList(report, options.dryRun === true));
    if (snapshot !== null) writeNote(toVisible(`As it was before: ${snapshot.path}`));
  }
}

function toChangesDocument(report: ChangesReport, dryRun: boolean): object {
  const { created, updated, deleted, eventId, snapshot } = report;
  return {
    dry_run: dryRun,
    event_id: eventId,
    created,
    updated: toUpdatedDocument(updated),
    deleted,
    snapshot: snapshot?.path ?? null,
  };
}

function isNothing({ created, updated, deleted }: ChangesReport): boolean {
  return created.length + updated.length + deleted.length === 0;
}
