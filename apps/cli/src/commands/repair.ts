import { repairRegistry, toVisible, type ModelReport, type RepairReport } from "@cortex/model-db";

import { confirm, requireTerminal } from "../confirm.ts";
import type { Everywhere } from "../everywhere.ts";
import { locationOf } from "../open.ts";
import { painter } from "../output/color.ts";
import { toDocument } from "../output/json.ts";
import { startProgress } from "../output/progress.ts";
import { outputColumns, writeNote, writeOut } from "../output/stream.ts";
import { toTable } from "../output/table.ts";

/** What `cortex repair` takes. */
export interface RepairOptions extends Everywhere {
  /** A backup folder. */
  readonly from?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

const DAMAGED = 6;

/** Builds a damaged registry anew, after showing what comes back and asking. */
export async function repair(options: RepairOptions): Promise<number> {
  const asks = options.yes !== true && options.dryRun !== true;
  if (asks) requireTerminal("repair");
  let report = await run(options, options.yes !== true);
  if (report !== undefined && asks) {
    writeNote(describe(report, "would"));
    await confirm("Set the damaged files aside and put this in their place?");
    report = await run(options, false);
  }
  print(report, options);
  return report !== undefined && options.dryRun === true ? DAMAGED : 0;
}

async function run(options: RepairOptions, dryRun: boolean): Promise<RepairReport | undefined> {
  let shown = "";
  let progress = startProgress(shown, true);
  try {
    return await repairRegistry(locationOf(options), {
      from: options.from,
      dryRun,
      onProgress(what, done) {
        if (what !== shown) {
          progress.end();
          progress = startProgress(what, options.quiet);
          shown = what;
        }
        progress.update(done);
      },
    });
  } finally {
    progress.end();
  }
}

function print(report: RepairReport | undefined, options: RepairOptions): void {
  if (options.json === true) {
    writeOut(toDocument(report === undefined ? { damaged: false } : toDocumentOf(report)));
    return;
  }
  if (report === undefined) {
    writeNote(toVisible(`Nothing is damaged: ${locationOf(options)} stays as it is`));
    return;
  }
  const notable = report.models.filter(isNotable);
  if (options.quiet === true) {
    writeOut(notable.map(({ modelId }) => `${toVisible(modelId)}\n`).join(""));
    return;
  }
  if (notable.length > 0) {
    const rows = notable.map((model) => [model.modelId, STATES[model.state], describeOrigin(model)]);
    const columns = [{ title: "MODEL" }, { title: "STATE" }, { title: "FROM" }];
    writeOut(toTable(columns, rows, painter(1, options.color), outputColumns()));
  }
  writeNote(describe(report, options.dryRun === true ? "would" : "did"));
}

const STATES: Readonly<Record<ModelReport["state"], string>> = {
  recovered: "recovered",
  uncertain: "perhaps not the newest",
  lost: "lost",
};

function isNotable({ state, origin, verified, lostAliases }: ModelReport): boolean {
  return state !== "recovered" || origin !== "file" || !verified || lostAliases.length > 0;
}

function describeOrigin({ origin, verified, lostAliases }: ModelReport): string {
  const parts = [
    origin === null ? "" : { file: "file", snapshot: "snapshot", change_log: "backup log" }[origin],
    origin !== null && !verified ? "has no checksum" : "",
    lostAliases.length === 0 ? "" : `another model has ${lostAliases.join(", ")}`,
  ];
  return parts.filter((part) => part !== "").join("; ");
}

function describe(report: RepairReport, mood: "would" | "did"): string {
  const { models, missingEvents, newestEventId, endKnown, contradictions, setAside, from } = report;
  const count = (state: ModelReport["state"]): number =>
    models.filter((model) => model.state === state).length;
  const missing = missingEvents.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  const lines = [
    report.problem,
    mood === "would" ? "A repair would bring back:" : "Repaired:",
    `  ${count("recovered")} models as they were`,
    `  ${count("uncertain")} models perhaps not in their newest version`,
    `  ${count("lost")} models lost`,
    `  ${report.eventCount} changes of the history; ${missing} missing up to change ${newestEventId}`,
    ...(endKnown ? [] : [`What happened after change ${newestEventId} cannot be known.`]),
    ...(contradictions === 0
      ? []
      : [`The backup tells ${contradictions} changes differently; the file's word was taken.`]),
    ...(from === null ? ["No backup was used."] : [`The backup in ${from} was used.`]),
    ...(setAside === null || mood === "would"
      ? []
      : [`The damaged files are in ${setAside}. Remove that folder once you miss nothing.`]),
  ];
  return lines.map(toVisible).join("\n");
}

function toDocumentOf(report: RepairReport): object {
  return {
    damaged: true,
    problem: report.problem,
    registry_id: report.registryId,
    set_aside: report.setAside,
    from: report.from,
    models: report.models.map(({ modelId, state, origin, verified, lostAliases }) => ({
      model_id: modelId,
      state,
      origin,
      verified,
      lost_aliases: lostAliases,
    })),
    event_count: report.eventCount,
    newest_event_id: report.newestEventId,
    end_known: report.endKnown,
    missing_events: report.missingEvents,
    contradictions: report.contradictions,
  };
}
