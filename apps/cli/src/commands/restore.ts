import { restoreAsChanges, toVisible, type ChangesReport } from "@cortex/model-db";

import { confirm, requireTerminal } from "../confirm.ts";
import { MisuseError } from "../errors.ts";
import { toModelId } from "../event-filter.ts";
import type { Everywhere } from "../everywhere.ts";
import { openForWriting } from "../open.ts";
import { describeChangeList } from "../output/change-list.ts";
import { toDocument } from "../output/json.ts";
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
  await using registry = await openForWriting(options);
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

function print(report: ChangesReport, options: RestoreOptions): void {
  const { created, updated, deleted, eventId, snapshot } = report;
  if (options.quiet === true) {
    const ids = [...created, ...updated.map(({ modelId }) => modelId), ...deleted];
    writeOut(ids.map((modelId) => `${toVisible(modelId)}\n`).join(""));
  } else if (options.json === true) {
    const changed = updated.map(({ modelId, fields }) => ({ model_id: modelId, fields }));
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
