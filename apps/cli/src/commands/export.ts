import { setImmediate } from "node:timers/promises";

import { toFileRecord, toRecord, type Registry, isRegistryError, type ModelFile } from "@cortex/model-db";

import { Interrupted } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { untilInterrupted } from "../interrupt.ts";
import { locationOf } from "../location.ts";
import { openForReading } from "../open.ts";
import { toLine } from "../output/json.ts";
import { startProgress } from "../output/progress.ts";
import { writeNote, writeOut } from "../output/stream.ts";
import { writeWhole } from "../whole-file.ts";

const BATCH = 500;

/**
 * Writes every model with its files, one JSON object per line, in the order of the ids, to a file or
 * standard output. A file appears only when it is complete.
 */
export async function exportModels(options: Everywhere & { readonly file?: string }): Promise<void> {
  const registry = await openForReading(options);
  const { file } = options;
  if (file === undefined || file === "-") {
    for await (const lines of batches(registry)) writeOut(lines.join(""));
  } else {
    const registryFile = locationOf(options);
    const protect = ["", "-wal", "-shm"].map((end) => registryFile + end);
    const counter = { count: 0 };
    await writeWhole(file, counted(batches(registry), counter, options.quiet), protect);
    const { count } = counter;
    if (options.quiet !== true) writeNote(`${count} ${count === 1 ? "model" : "models"} in ${file}`);
  }
  await registry?.close();
}

async function* batches(registry: Registry | undefined): AsyncGenerator<string[]> {
  if (registry === undefined) return;
  const interrupted = untilInterrupted();
  let lines: string[] = [];
  for await (const model of registry.models.all({ sort: { field: "model_id" } })) {
    const files = await filesOf(registry, model.modelId);
    if (files !== undefined) lines.push(toLine({ ...toRecord(model), files: files.map(toFileRecord) }));
    if (lines.length < BATCH) continue;
    yield lines;
    lines = [];
    // Nothing else here lets a signal in.
    await setImmediate();
    if (interrupted.aborted) throw new Interrupted();
  }
  yield lines;
}

/** The files of a model; `undefined` when it was deleted since it was read. */
async function filesOf(registry: Registry, modelId: string): Promise<ModelFile[] | undefined> {
  try {
    return await registry.files.list(modelId);
  } catch (error) {
    if (isRegistryError(error) && error.code === "model_not_found") return undefined;
    throw error;
  }
}

async function* counted(
  parts: AsyncIterable<string[]>,
  counter: { count: number },
  quiet: boolean | undefined,
): AsyncGenerator<string> {
  const progress = startProgress("models", quiet);
  try {
    for await (const lines of parts) {
      yield lines.join("");
      progress.update((counter.count += lines.length));
    }
  } finally {
    progress.end();
  }
}
