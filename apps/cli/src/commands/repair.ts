import { outcomeOf, repairRegistry, toVisible, type RepairReport } from "@cortex/model-db";

import { confirm, requireTerminal } from "../confirm.ts";
import type { Everywhere } from "../everywhere.ts";
import { locationOf } from "../location.ts";
import { toDocument } from "../output/json.ts";
import { describeRebuilt, printRebuilt, toRebuiltDocument, withProgress } from "../output/rebuilt.ts";
import { writeNote, writeOut } from "../output/stream.ts";

/** What `cortex repair` takes. */
export interface RepairOptions extends Everywhere {
  /** A backup folder. */
  readonly from?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/**
 * Builds a damaged registry anew, after showing what comes back and asking.
 * @returns 6 where it is damaged and was only looked at, else 0
 */
export async function repair(options: RepairOptions): Promise<number> {
  const { yes = false, dryRun = false } = options;
  if (!yes && !dryRun) requireTerminal("repair");
  const run = (rehearsal: boolean): Promise<RepairReport | undefined> =>
    withProgress(options.quiet, (onProgress) =>
      repairRegistry(locationOf(options), { from: options.from, dryRun: rehearsal, onProgress }),
    );
  let report = await run(dryRun || !yes);
  if (report !== undefined && !yes && !dryRun) {
    writeNote(describe(report, true));
    await confirm("Set the damaged files aside and put this in their place?");
    report = await run(false);
  }
  print(report, options);
  return report !== undefined && dryRun ? outcomeOf("database_damaged").exitCode : 0;
}

function print(report: RepairReport | undefined, options: RepairOptions): void {
  if (options.json === true) {
    const document =
      report === undefined
        ? { damaged: false }
        : { damaged: true, problem: report.problem, ...toRebuiltDocument(report) };
    writeOut(toDocument(document));
  } else if (report === undefined) {
    writeNote(toVisible(`Nothing is damaged: ${locationOf(options)} stays as it is`));
  } else {
    printRebuilt(report, options);
    if (options.quiet !== true) writeNote(describe(report, options.dryRun === true));
  }
}

function describe(report: RepairReport, dryRun: boolean): string {
  return `${toVisible(report.problem)}\n${describeRebuilt(report, dryRun)}`;
}
