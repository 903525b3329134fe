import { toRunRecord, toVisible, type Run } from "@cortex/model-db";

import type { Everywhere } from "../everywhere.ts";
import { openExisting, openForReading } from "../open.ts";
import { painter } from "../output/color.ts";
import { toListDocument } from "../output/json.ts";
import { outputColumns, writeNote, writeOut } from "../output/stream.ts";
import { toTable, type Column } from "../output/table.ts";
import { formatRelative } from "../output/time.ts";

/** Prints who runs what: every lease that holds, oldest first. */
export async function ps(options: Everywhere & { readonly model?: string }): Promise<void> {
  const { model: name } = options;
  const registry = await (name === undefined ? openForReading(options) : openExisting(options));
  const runs = (await registry?.runs.list(name === undefined ? {} : { name })) ?? [];
  await registry?.close();
  if (options.quiet === true) {
    writeOut([...new Set(runs.map(({ modelId }) => `${toVisible(modelId)}\n`))].join(""));
  } else if (options.json === true) {
    writeOut(toListDocument(runs.map(toRunRecord)));
  } else if (runs.length > 0) {
    writeOut(toTable(COLUMNS, runs.map(toCells), painter(1, options.color), outputColumns()));
  } else if (registry !== undefined) {
    writeNote("Nothing runs.");
  }
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
