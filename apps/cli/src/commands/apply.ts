import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import type { Registry } from "@cortex/model-db";

import { applyRecords, type Outcome } from "../apply-records.ts";
import { confirm, requireTerminal } from "../confirm.ts";
import { Interrupted } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { untilInterrupted } from "../interrupt.ts";
import { locationOf } from "../location.ts";
import { openExisting, openForRehearsal, openOrCreate } from "../open.ts";
import { describeChangeList, toChangedIds, toUpdatedDocument } from "../output/change-list.ts";
import { toDocument } from "../output/json.ts";
import { startProgress } from "../output/progress.ts";
import { writeNote, writeOut } from "../output/stream.ts";
import { readRecords, readStandardInput, type RecordSource } from "../read-records.ts";

/** What `cortex apply` takes. */
export interface ApplyOptions extends Everywhere {
  /** Its name, or `-` for standard input. */
  readonly file: string;
  readonly prune?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** Makes the registry what a file says, all of it or nothing. Asks before it deletes. */
export async function apply(options: ApplyOptions): Promise<void> {
  const source = options.file === "-" ? await readStandardInput() : { file: options.file };
  if (options.dryRun === true) {
    print(await plan(options, source), options);
    return;
  }
  // What may go was shown and agreed to; what came in meanwhile was not.
  let agreed: ReadonlySet<string> | undefined;
  if (options.prune === true && options.yes !== true) {
    // Brings an older schema up to date, and says so.
    if (existsSync(locationOf(options))) await (await openExisting(options)).close();
    const planned = await plan(options, source);
    agreed = new Set(planned.deleted);
    if (agreed.size > 0) {
      requireTerminal("apply --prune");
      writeNote(describe(planned, true));
      await confirm(`Delete ${agreed.size} ${agreed.size === 1 ? "model" : "models"} and do the rest?`);
    }
  }
  // A file that is refused must not leave an empty registry behind.
  if (!existsSync(locationOf(options))) await plan(options, source);
  await using registry = await openOrCreate(options);
  print(await run((work) => registry.transaction(work), source, options, agreed), options);
}

/**
 * Does it in a transaction, or in a rehearsal of one.
 * @param agreed what may be deleted; everything where left out
 */
async function run(
  change: Registry["transaction"],
  source: RecordSource,
  options: ApplyOptions,
  agreed?: ReadonlySet<string>,
): Promise<Outcome> {
  const progress = startProgress("models", options.quiet);
  const interrupted = untilInterrupted();
  const agrees = (modelId: string): boolean => agreed?.has(modelId) ?? true;
  const onRecord = (done: number): void => {
    if (interrupted.aborted) throw new Interrupted();
    progress.update(done);
  };
  try {
    const prune = options.prune === true ? agrees : undefined;
    return await change((repositories) =>
      applyRecords(repositories, () => readRecords(source), prune, onRecord),
    );
  } finally {
    progress.end();
  }
}

/** What would happen. */
async function plan(options: ApplyOptions, source: RecordSource): Promise<Outcome> {
  const exists = existsSync(locationOf(options));
  const folder = exists ? undefined : await mkdtemp(path.join(tmpdir(), "cortex-"));
  try {
    await using registry =
      folder === undefined
        ? await openForRehearsal(options)
        : await openOrCreate({ db: path.join(folder, "registry.db") });
    return await run((work) => registry.rehearse(work), source, options);
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

function print(outcome: Outcome, options: ApplyOptions): void {
  const { created, updated, deleted, kept, unchanged } = outcome;
  if (options.quiet === true) {
    writeOut(toChangedIds(outcome));
  } else if (options.json === true) {
    const changed = toUpdatedDocument(updated);
    const dryRun = options.dryRun === true;
    writeOut(toDocument({ dry_run: dryRun, created, updated: changed, deleted, kept, unchanged }));
  } else {
    writeNote(describe(outcome, options.dryRun === true));
  }
}

function describe(outcome: Outcome, future: boolean): string {
  return describeChangeList(outcome, future, `, ${outcome.unchanged} unchanged`);
}
