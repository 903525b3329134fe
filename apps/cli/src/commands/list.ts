import {
  formatSize,
  toVisible,
  MODEL_STATUS,
  type ListOptions,
  type ModelSummary,
  type Page,
} from "@cortex/model-db";

import type { Everywhere } from "../everywhere.ts";
import type { ListFlags } from "../list-options.ts";
import { openModels } from "../open-to-read.ts";
import { painter } from "../output/color.ts";
import { outputColumns, writeNote, writeOut } from "../output/stream.ts";
import { toTable, type Column } from "../output/table.ts";
import { formatRelative } from "../output/time.ts";

/** What `cortex list` takes. */
export interface ListVerbOptions extends Everywhere, ListFlags {}

const EMPTY: Page<ModelSummary> = { items: [], nextCursor: null, total: 0 };

/** Prints one page of the models that the flags choose. */
export async function list(options: ListVerbOptions): Promise<void> {
  const wanted = await read(options);
  // Never closed: the end of the process does that sooner, and who only reads leaves nothing to be written.
  const registry = await openModels(options);
  if (options.json === true) {
    const { listAsJson } = await import("../list-as-json.ts");
    return listAsJson(registry, wanted);
  }
  const page = registry === undefined ? EMPTY : await registry.models.summaries(wanted);
  print(page, options);
  if (registry !== undefined && page.items.length === 0 && options.quiet !== true) {
    writeNote(
      Object.keys(wanted).length === 0
        ? "No models yet: `cortex pull` fetches one, `cortex import` and `cortex scan --adopt` take in what is here."
        : "No model matches.",
    );
  }
}

async function read(options: ListVerbOptions): Promise<ListOptions> {
  // A plain list asks for nothing: what reads filters is not worth loading.
  if (Object.keys(options).length === 0) return {};
  const { toListOptions } = await import("../list-options.ts");
  return toListOptions(options);
}

function print({ items, nextCursor, total }: Page<ModelSummary>, options: ListVerbOptions): void {
  if (options.quiet === true) {
    writeOut(items.map(({ modelId }) => `${toVisible(modelId)}\n`).join(""));
  } else if (items.length > 0) {
    writeOut(toTable(COLUMNS, items.map(toCells), painter(1, options.color), outputColumns()));
  }
  if (options.total === true) writeNote(total === 1 ? "1 model in all" : `${total} models in all`);
  if (nextCursor !== null) writeNote(`There are more: the same command with --cursor ${nextCursor}`);
}

const COLUMNS: readonly Column[] = [
  { title: "MODEL", least: 24, keep: "both" },
  { title: "ALIAS", least: 12, sacrifice: 1 },
  { title: "SOURCE", sacrifice: 3 },
  { title: "SIZE", align: "right", sacrifice: 2 },
  { title: "STATUS", sacrifice: 2, style: (text) => (text === "running" ? "green" : undefined) },
  {
    title: "FILES",
    sacrifice: 4,
    style: (text) => (text === "missing" || text === "partial" ? "yellow" : undefined),
  },
  { title: "TAGS", least: 6, sacrifice: 5 },
  { title: "CHANGED", sacrifice: 6, style: () => "dim" },
];

function toCells(model: ModelSummary): string[] {
  return [
    model.modelId,
    // An id in lower case is an alias that says nothing new.
    model.alias?.toLowerCase() === model.modelId.toLowerCase() ? "" : (model.alias ?? ""),
    model.sourceType,
    model.sizeBytes === null ? "" : formatSize(model.sizeBytes),
    model.status === MODEL_STATUS.RUNNING ? "running" : "ready",
    model.availability,
    model.tags.join(" "),
    formatRelative(model.updatedAt),
  ].map(toVisible);
}
