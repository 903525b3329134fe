/** Changes a registry that others change too until it is killed, and writes down what it was told is done. */
import { openSync, writeSync } from "node:fs";

import { isRegistryError, openRegistry, type Model } from "@cortex/model-db";

import { formatAcknowledged } from "../kill/acknowledged.ts";
import { createRandom } from "../random.ts";

const { location, name, seed, acknowledged } = JSON.parse(process.argv[2]!) as {
  location: string;
  /** Begins the ids of its models. */
  name: string;
  seed: number;
  acknowledged: string;
};
const random = createRandom(seed, name);
const file = openSync(acknowledged, "a");
const registry = await openRegistry(location, { actor: name });
const { models } = registry;
const own: string[] = [];
let made = 0;

// A write reaches the kernel whole before the next change begins, and so outlives the process.
function done(changed: readonly Pick<Model, "modelId" | "rowVersion">[], deleted = false): void {
  writeSync(file, changed.map((model) => formatAcknowledged({ ...model, deleted })).join(""));
}

function newModel(): { modelId: string; sourceType: "local"; alias: null; tags: string[] } {
  return { modelId: `${name}-${made++}`, sourceType: "local", alias: null, tags: ["lab"] };
}

async function create(count: number): Promise<void> {
  const created = await Promise.all(Array.from({ length: count }, () => models.create(newModel())));
  own.push(...created.map(({ modelId }) => modelId));
  done(created);
}

const steps: (() => Promise<unknown>)[] = [
  () => create(1),
  () => create(4),
  async () => done([await models.update(random.pick(own), { notes: `note ${random.below(1e9)}` })]),
  async () => done([await models.changeTags(random.pick(own), { add: [`tag-${random.below(1e6)}`] })]),
  // Names that all writers want: the one before may be another's model.
  async () => {
    const shared = `shared-${random.below(8)}`;
    const id = random.pick(own);
    if ((await models.findByName(shared))?.modelId !== id) done([await models.repointAlias(shared, id)]);
  },
  async () => {
    const added = Array.from({ length: 5 }, newModel);
    await models.createMany(added);
    own.push(...added.map(({ modelId }) => modelId));
    done(added.map(({ modelId }) => ({ modelId, rowVersion: 1 })));
  },
  async () => {
    if (own.length < 5) return;
    const [id] = own.splice(random.below(own.length), 1);
    done([await models.delete(id!)], true);
  },
  async () => {
    const both = await registry.transaction(async (inside) => [
      await inside.models.update(own[0]!, { notes: `note ${random.below(1e9)}` }),
      await inside.models.create(newModel()),
    ]);
    done(both);
  },
];

await create(1);
console.log("ready");
for (;;) {
  try {
    await random.pick(steps)();
  } catch (error) {
    // Another writer was quicker with a shared name; anything else is a failure.
    if (!isRegistryError(error) || error.code !== "name_taken") throw error;
  }
}
