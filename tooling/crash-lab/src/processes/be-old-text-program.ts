/** Works on a `model.list` as the old program does until it is killed, and writes down what it was told. */
import { existsSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { OldTextStore } from "@cortex/old-program";

import { createRandom } from "../random.ts";
import { formatChange, formatTold, monotonicMs, type ListChange } from "../text-clients/list-change.ts";

const { list, folder, name, seed, record, pauseMs } = JSON.parse(process.argv[2]!) as {
  list: string;
  /** For the files of its models. */
  folder: string;
  /** Begins the ids of its models. */
  name: string;
  seed: number;
  record: string;
  /** Between two changes, half to all of this. */
  pauseMs: number;
};
const random = createRandom(seed, name);
const file = openSync(record, "a");
const old = new OldTextStore(list);
const own: string[] = [];
let made = 0;

function attempt(change: Omit<ListChange, "beganAt">, work: () => boolean): boolean {
  writeSync(file, formatChange({ ...change, beganAt: monotonicMs() }));
  const done = work();
  const hasTakenYaml = !done && change.kind === "delete" && !existsSync(ymlOf(change.modelId));
  writeSync(file, formatTold(done, hasTakenYaml));
  return done;
}

function ymlOf(modelId: string): string {
  return join(folder, `${modelId}.yml`);
}

// Slow enough to be killed in the middle of it.
const SLOWLY = { lineMs: 0.3 };

function add(): void {
  const modelId = `${name}-${made++}`;
  const [yml, weights] = [ymlOf(modelId), join(folder, `${modelId}.gguf`)];
  writeFileSync(weights, "gguf");
  writeFileSync(yml, `model: ${modelId}\nfiles:\n  - ${weights}\n`);
  const change = { modelId, kind: "add", alias: modelId } as const;
  if (attempt(change, () => old.add(modelId, yml, SLOWLY))) own.push(modelId);
}

function alias(): void {
  const modelId = random.pick(own);
  const word = `${name}-alias-${made++}`;
  attempt({ modelId, kind: "alias", alias: word }, () => old.alias(modelId, word, SLOWLY));
}

function remove(): void {
  const [modelId] = own.splice(random.below(own.length), 1);
  attempt({ modelId: modelId!, kind: "delete", alias: "" }, () => old.delete(modelId!, SLOWLY));
}

// A signal is heard between two changes only.
process.on("SIGTERM", () => process.exit(0));
add();
console.log("ready");
for (;;) {
  const step = own.length < 4 ? add : random.pick([add, alias, alias, remove]);
  step();
  await sleep(pauseMs / 2 + random.below(pauseMs / 2));
}
