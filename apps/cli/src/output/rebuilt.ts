import { toVisible, type ModelReport, type OnProgress, type RebuildReport } from "@cortex/model-db";

import type { Everywhere } from "../everywhere.ts";
import { painter } from "./color.ts";
import { startProgress } from "./progress.ts";
import { outputColumns, writeOut } from "./stream.ts";
import { toTable } from "./table.ts";

/** Runs something that tells how far it is, and shows that on a terminal. */
export async function withProgress<T>(
  quiet: boolean | undefined,
  work: (onProgress: OnProgress) => Promise<T>,
): Promise<T> {
  let shown = "";
  let progress = startProgress(shown, true);
  try {
    return await work((what, done) => {
      if (what !== shown) {
        progress.end();
        progress = startProgress(what, quiet);
        shown = what;
      }
      progress.update(done);
    });
  } finally {
    progress.end();
  }
}

/** Prints each model that is not simply as it was: what became of it, and where it was found. */
export function printRebuilt({ models }: RebuildReport, options: Everywhere): void {
  const notable = models.filter(isNotable);
  if (options.quiet === true) {
    writeOut(notable.map(({ modelId }) => `${toVisible(modelId)}\n`).join(""));
  } else if (notable.length > 0) {
    const rows = notable.map((model) => [model.modelId, STATES[model.state], describeOrigin(model)]);
    const columns = [{ title: "MODEL" }, { title: "STATE" }, { title: "FROM" }];
    writeOut(toTable(columns, rows, painter(1, options.color), outputColumns()));
  }
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

/** A few lines for people. @param dryRun that it was only rehearsed */
export function describeRebuilt(report: RebuildReport, dryRun: boolean): string {
  const { models, missingEvents, newestEventId, endKnown, contradictions, setAside, from } = report;
  const count = (state: ModelReport["state"]): string => {
    const some = models.filter((model) => model.state === state).length;
    return `${some} ${some === 1 ? "model" : "models"}`;
  };
  const missing = missingEvents.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  const lines = [
    dryRun ? "What would come back:" : "What came back:",
    `  ${count("recovered")} as last seen`,
    `  ${count("uncertain")} perhaps not in their newest version`,
    `  ${count("lost")} lost`,
    `  ${report.eventCount} changes of the history; ${missing} missing up to change ${newestEventId}`,
    ...(endKnown ? [] : [`What happened after change ${newestEventId} cannot be known.`]),
    ...(contradictions === 0
      ? []
      : [`The backup tells ${contradictions} changes differently; the file's word was taken.`]),
    ...report.otherTables
      .filter(({ complete }) => !complete)
      .map(({ name }) => `Of the table ${name}, which old programs use, rows are missing.`),
    ...(report.accessComplete === false
      ? [
          "Who may use it is as the backup knew it, or in part: see `cortex user list` and `cortex token list`.",
        ]
      : []),
    ...(from === null ? ["No backup was used."] : [`The backup in ${from} was used.`]),
    ...(setAside === null || dryRun
      ? []
      : [`The damaged files are in ${setAside}. Remove that folder once you miss nothing.`]),
  ];
  return lines.map(toVisible).join("\n");
}

/** The whole of it, for programs. */
export function toRebuiltDocument(report: RebuildReport): object {
  return {
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
    other_tables: report.otherTables,
    access_complete: report.accessComplete,
  };
}
