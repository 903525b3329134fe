/** Changes a registry at a person's pace until it is killed, and writes down what it was told. */
import { openSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { openRegistry } from "@cortex/model-db";

import { createRandom } from "../random.ts";
import { formatChange, formatTold, monotonicMs, type ListChange } from "../text-clients/list-change.ts";

const { location, name, seed, record, pauseMs } = JSON.parse(process.argv[2]!) as {
  location: string;
  /** Begins the ids of its models. */
  name: string;
  seed: number;
  record: string;
  /** Between two changes, half to all of this. */
  pauseMs: number;
};
const random = createRandom(seed, name);
const file = openSync(record, "a");
const registry = await openRegistry(location, { actor: name, busyTimeoutMs: 60_000 });
const { models } = registry;
const own: string[] = [];
let made = 0;

async function attempt(change: Omit<ListChange, "beganAt">, work: () => Promise<unknown>): Promise<void> {
  writeSync(file, formatChange({ ...change, beganAt: monotonicMs() }));
  await work();
  writeSync(file, formatTold(true));
}

async function add(): Promise<void> {
  const modelId = `${name}-${made++}`;
  await attempt({ modelId, kind: "add", alias: modelId }, () =>
    models.create({ modelId, sourceType: "local", alias: modelId }),
  );
  own.push(modelId);
}

async function alias(): Promise<void> {
  const modelId = random.pick(own);
  const word = `${name}-alias-${made++}`;
  await attempt({ modelId, kind: "alias", alias: word }, () => models.update(modelId, { alias: word }));
}

async function remove(): Promise<void> {
  const [modelId] = own.splice(random.below(own.length), 1);
  await attempt({ modelId: modelId!, kind: "delete", alias: "" }, () => models.delete(modelId!));
}

await add();
console.log("ready");
for (;;) {
  const step = own.length < 4 ? add : random.pick([add, alias, alias, remove]);
  await step();
  await sleep(pauseMs / 2 + random.below(pauseMs / 2));
}
