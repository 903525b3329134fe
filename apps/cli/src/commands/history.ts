import {
  RegistryError,
  toEventRecord,
  toRecord,
  toVisible,
  type ModelEvent,
  type Registry,
} from "@cortex/model-db";

import { MisuseError } from "../errors.ts";
import { toKinds, toModelId } from "../event-filter.ts";
import type { Everywhere } from "../everywhere.ts";
import { openExisting, openForReading } from "../open.ts";
import { painter } from "../output/color.ts";
import { describeChanges } from "../output/event-changes.ts";
import { toFields } from "../output/fields.ts";
import { toDocument, toListDocument } from "../output/json.ts";
import { modelFields } from "../output/model-fields.ts";
import { outputColumns, writeNote, writeOut } from "../output/stream.ts";
import { toTable, type Column } from "../output/table.ts";
import { formatExact, formatRelative } from "../output/time.ts";

/** What `cortex history` takes. Times are Unix milliseconds. */
export interface HistoryOptions extends Everywhere {
  readonly model?: string;
  readonly actor?: string;
  readonly kind?: readonly string[];
  readonly since?: number;
  readonly until?: number;
  /** What was the model at this time? */
  readonly at?: number;
  readonly limit?: number;
  readonly cursor?: string;
}

/** Prints what happened, latest first; or with `at`, what a model was at that time. */
export async function history(options: HistoryOptions): Promise<void> {
  const { model, at } = options;
  if (at !== undefined && model === undefined)
    throw new MisuseError("--at needs a model: cortex history <model> --at <time>.");
  const kinds = toKinds(options.kind);
  const registry = await (model === undefined ? openForReading(options) : openExisting(options));
  if (at !== undefined) {
    await printModelAt(registry!, model!, at, options);
  } else if (registry === undefined) {
    if (options.json === true) writeOut(toListDocument([]));
  } else {
    await printEvents(registry, { ...options, kinds });
  }
  await registry?.close();
}

async function printModelAt(
  registry: Registry,
  name: string,
  at: number,
  options: Everywhere,
): Promise<void> {
  const model = await registry.history.modelAt(await toModelId(registry, name), at);
  if (model === undefined)
    throw new RegistryError("model_not_found", `There was no model ${name} at ${formatExact(at)}.`);
  if (options.quiet === true) writeOut(`${toVisible(model.modelId)}\n`);
  else if (options.json === true) writeOut(toDocument(toRecord(model)));
  else writeOut(toFields(modelFields(model), painter(1, options.color)));
}

async function printEvents(
  registry: Registry,
  options: HistoryOptions & { kinds: ReturnType<typeof toKinds> },
): Promise<void> {
  const { model, actor, kinds, since, until, limit, cursor } = options;
  const modelId = model === undefined ? undefined : await toModelId(registry, model);
  const { items, nextCursor } = await registry.history.list({
    ...(modelId === undefined ? {} : { modelId }),
    ...(actor === undefined ? {} : { actor }),
    ...(kinds === undefined ? {} : { kind: kinds }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(limit === undefined ? {} : { limit }),
    ...(cursor === undefined ? {} : { cursor }),
  });
  if (items.length === 0 && modelId !== undefined) await refuseUnknown(registry, modelId, model!);
  if (options.quiet === true) {
    writeOut(items.map(({ eventId }) => `${eventId}\n`).join(""));
  } else if (options.json === true) {
    writeOut(toListDocument(items.map(toEventRecord), nextCursor));
    return;
  } else if (items.length > 0) {
    const rows = items.map(toCells);
    const shown = COLUMNS.map((_column, index) => index).filter(
      (index) => model === undefined || index !== 1,
    );
    const table = toTable(
      shown.map((index) => COLUMNS[index]!),
      rows.map((cells) => shown.map((index) => cells[index]!)),
      painter(1, options.color),
      outputColumns(),
    );
    writeOut(table);
  } else {
    const asked = [actor, kinds, since, until, cursor].some((flag) => flag !== undefined);
    writeNote(asked ? "No change matches." : "Nothing has happened yet.");
  }
  if (nextCursor !== null) writeNote(`There are more: the same command with --cursor ${nextCursor}`);
}

/** No event that matches may mean that no model ever had that name. */
async function refuseUnknown(registry: Registry, modelId: string, name: string): Promise<void> {
  const { items } = await registry.history.list({ modelId, limit: 1 });
  if (items.length === 0) await registry.models.resolve(name);
}

// Without the second where all are about one model.
const COLUMNS: readonly Column[] = [
  { title: "WHEN", sacrifice: 1 },
  { title: "MODEL", least: 16, keep: "both", sacrifice: 2 },
  { title: "WHAT" },
  { title: "WHO", least: 6, sacrifice: 3 },
  { title: "CHANGE", least: 12, sacrifice: 4 },
];

function toCells(event: ModelEvent): string[] {
  const { at, modelId, kind, actor } = event;
  return [formatRelative(at), toVisible(modelId), toVisible(kind), toVisible(actor), describeChanges(event)];
}
