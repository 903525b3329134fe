import { toRunRecord, toVisible, type Run } from "@cortex/model-db";

import type { Everywhere } from "../everywhere.ts";
import { openExisting, openForReading } from "../open.ts";
import type { Column } from "../output/table.ts";
import { formatRelative } from "../output/time.ts";
import { printWholeList } from "../output/whole-list.ts";

/** Prints who runs what: every lease that holds, oldest first. */
export async function ps(options: Everywhere & { readonly model?: string }): Promise<void> {
  const { model: name } = options;
  const registry = await (name === undefined ? openForReading(options) : openExisting(options));
  const runs = await registry?.runs.list(name === undefined ? {} : { name });
  await registry?.close();
  const shown = {
    toId: ({ modelId }: Run) => toVisible(modelId),
    toRecord: toRunRecord,
    columns: COLUMNS,
    toCells,
    nothing: "Nothing runs.",
  };
  printWholeList(runs, shown, options);
}

const COLUMNS: readonly Column[] = [
  { title: "MODEL", least: 16, keep: "both" },
  { title: "HOLDER", least: 8 },
  { title: "NODE", least: 6, sacrifice: 4 },
  { title: "PID", align: "right", sacrifice: 3 },
  { title: "ENDPOINT", least: 12, sacrifice: 2 },
  { title: "STARTED", sacrifice: 5 },
  { title: "ENDS", sacrifice: 1 },
  { title: "TOKEN", align: "right" },
];

function toCells(run: Run): string[] {
  return [
    run.modelId,
    run.holder,
    run.node,
    run.pid === null ? "" : String(run.pid),
    run.endpoint ?? "",
    formatRelative(run.startedAt),
    formatRelative(run.expiresAt),
    String(run.token),
  ].map(toVisible);
}
