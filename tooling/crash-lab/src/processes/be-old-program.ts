/** Works as the old program does, on a file that others write too, for a time or until it is killed; writes down what it was told. */
import { openSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { OldProgram, openPlainConnection, openShellConnection, type ModelEntry } from "@cortex/old-program";

import { formatAttempt, formatOutcome, type Attempt } from "../old-clients/told.ts";
import { createRandom } from "../random.ts";

const { location, name, seed, record, through, durationMs, pauseMs } = JSON.parse(process.argv[2]!) as {
  location: string;
  /** Begins the ids of its models. */
  name: string;
  seed: number;
  record: string;
  through: "library" | "shell";
  durationMs: number;
  /** Between two changes, 0 to this. */
  pauseMs: number;
};
const random = createRandom(seed, name);
const file = openSync(record, "a");
const connection = (through === "shell" ? openShellConnection : openPlainConnection)(location);
const old = new OldProgram(connection);
const own: string[] = [];
let made = 0;

function nextMark(): string {
  return `${name}.${made++}`;
}

function newEntry(mark: string): ModelEntry {
  return {
    model: `old-${mark}`,
    authorRepoId: "TheBloke",
    branchName: mark,
    pathToModelYaml: `models/${mark}.yml`,
    modelAlias: `old-${mark}`,
    modelFormat: "",
    modelSource: "",
    status: "downloaded",
    engine: "",
    metadata: "",
  };
}

/** Tries a change and writes down, before and after, what the kernel keeps when this process is killed. */
async function attempt(what: Omit<Attempt, "beganAt">, work: () => Promise<unknown>): Promise<void> {
  writeSync(file, formatAttempt({ ...what, beganAt: Date.now() }));
  try {
    await work();
    writeSync(file, formatOutcome({ doneAt: Date.now() }));
  } catch (error) {
    writeSync(file, formatOutcome({ failed: (error as Error).message }));
    // What would be a failed COMMIT there ends the process.
    if ((error as Error).name === "OldProgramDied") process.abort();
  }
}

async function add(): Promise<void> {
  const mark = nextMark();
  const entry = newEntry(mark);
  await attempt({ modelId: entry.model, kind: "add", column: "branch_name", mark }, async () => {
    await old.addModelEntry(entry);
    own.push(entry.model);
  });
}

/** Reads a row, changes one field of it and writes all of it back. */
async function update(modelId: string): Promise<void> {
  const mark = nextMark();
  const column = random.pick(["branch_name", "engine"] as const);
  let entry: ModelEntry;
  try {
    entry = await old.getModelInfo(modelId);
  } catch {
    return;
  }
  const changed = column === "engine" ? { ...entry, engine: mark } : { ...entry, branchName: mark };
  await attempt({ modelId, kind: "update", column, mark }, () => old.updateModelEntry(modelId, changed));
}

async function remove(): Promise<void> {
  if (own.length < 5) return;
  const modelId = own.splice(random.below(own.length), 1)[0]!;
  const mark = nextMark();
  await attempt({ modelId, kind: "delete", column: "branch_name", mark }, () =>
    old.deleteModelEntry(modelId),
  );
}

async function updateAny(): Promise<void> {
  let list: ModelEntry[];
  try {
    list = await old.loadModelList();
  } catch {
    return;
  }
  // The same few, which others update too.
  const shared = list.filter(({ model }) => !model.startsWith("old-")).slice(0, 2);
  if (shared.length > 0) await update(random.pick(shared).model);
}

const steps = [add, add, () => update(random.pick(own)), updateAny, updateAny, remove];
while (own.length === 0) await add();
console.log("ready");
const end = performance.now() + durationMs;
while (performance.now() < end) {
  await random.pick(steps)();
  await sleep(random.below(pauseMs + 1));
}
await connection.close();
console.log("done");
