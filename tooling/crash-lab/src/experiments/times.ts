import { closeSync, copyFileSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { checkRegistry, createSnapshot, openRegistry, repairRegistry } from "@cortex/model-db";
import Database from "better-sqlite3";

import type { Experiment, Outcome, Setting } from "../experiment.ts";
import { BACKUP_FOLDER, numberedModels, REGISTRY_FILE } from "../fixtures.ts";

/** How long the safeguards take, on registries of the size that people have and of a large one. */
export const times: Experiment = {
  name: "times",
  about: "how long opening, checking, a snapshot and a repair take",
  run,
};

const SIZES = [10_000, 1_000_000];
const BATCH = 10_000;
const OPENINGS = 15;
// What a log holds before it is folded into the file.
const CHANGES_IN_LOG = 150;

async function run({ long, say }: Setting): Promise<Outcome> {
  const failures: string[] = [];
  const figures: Record<string, Record<string, number>> = {};
  for (const size of long ? SIZES : SIZES.slice(0, 1)) {
    const folder = mkdtempSync(join(tmpdir(), "crash-lab-times-"));
    try {
      const measured = await measure(folder, size, failures);
      figures[size] = measured;
      say(`${size} models: ${wordsOf(measured)}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  const parts = Object.entries(figures).map(([size, measured]) => `${size} models: ${wordsOf(measured)}`);
  return { summary: `times: ${parts.join("; ")}: ${failures.length} failures.`, figures, failures };
}

async function measure(folder: string, size: number, failures: string[]): Promise<Record<string, number>> {
  const location = join(folder, REGISTRY_FILE);
  const left = join(folder, "left.db");
  {
    await using registry = await openRegistry(location);
    await registry.models.createMany(manyModels(size));
  }
  {
    await using registry = await openRegistry(location);
    for (let change = 0; change < CHANGES_IN_LOG; change++)
      await registry.models.update(`m-${change}`, { notes: `changed ${change}` });
    // As a program leaves it that is killed.
    for (const end of ["", "-wal"]) copyFileSync(location + end, left + end);
  }
  const backup = join(folder, BACKUP_FOLDER);
  const snapshotMs = await timed(() => createSnapshot(location, backup));
  const plainOpenMs = await median(() => {
    const database = new Database(location, { readonly: true });
    database.prepare("SELECT count(*) FROM model_run").get();
    database.close();
  });
  const openMs = await median(() => open(location));
  const uncleanOpenMs = await median(() => open(left));
  const quickCheckMs = await timed(() => check(location, false, failures));
  const fullCheckMs = await timed(() => check(location, true, failures));
  damagePage(location);
  const repairMs = await timed(async () => {
    const report = await repairRegistry(location, { from: backup });
    const recovered = report?.models.filter(({ state }) => state === "recovered").length;
    if (recovered !== size) failures.push(`${size} models: ${recovered} were recovered`);
  });
  return { plainOpenMs, openMs, uncleanOpenMs, quickCheckMs, fullCheckMs, snapshotMs, repairMs };
}

function* manyModels(size: number): Generator<ReturnType<typeof numberedModels>[number]> {
  for (let first = 0; first < size; first += BATCH) {
    for (const model of numberedModels("m", BATCH)) {
      const index = Number(model.modelId.slice("m-".length)) + first;
      const path = `/models/m-${index}.gguf`;
      yield { ...model, modelId: `m-${index}`, alias: `m.${index}`, files: [{ path, role: "weights" }] };
    }
  }
}

async function open(location: string): Promise<void> {
  await using registry = await openRegistry(location, { mode: "read" });
  await registry.runs.list();
}

async function check(location: string, full: boolean, failures: string[]): Promise<void> {
  for await (const { severity, message } of checkRegistry(location, { full }))
    if (severity === "damage") failures.push(message);
}

function damagePage(location: string): void {
  const page = Math.floor(statSync(location).size / 4096 / 2);
  const descriptor = openSync(location, "r+");
  writeSync(descriptor, Buffer.alloc(4096), 0, 4096, page * 4096);
  closeSync(descriptor);
}

async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function median(work: () => unknown): Promise<number> {
  const all: number[] = [];
  for (let round = 0; round < OPENINGS; round++) all.push(await timed(work));
  return all.toSorted((a, b) => a - b)[Math.floor(OPENINGS / 2)]!;
}

function wordsOf(measured: Record<string, number>): string {
  return Object.entries(measured)
    .map(([name, milliseconds]) => {
      const words = name.replace(/Ms$/, "").replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
      const time =
        milliseconds < 1000
          ? `${milliseconds.toPrecision(3)} ms`
          : `${(milliseconds / 1000).toPrecision(3)} s`;
      return `${words} ${time}`;
    })
    .join(", ");
}
