/** Changes a registry in every way, one after the other, and acknowledges each change. */
import { join } from "node:path";

import { openRegistry, type NewModel, type Registry } from "@cortex/model-db";

import { REGISTRY_FILE } from "../fixtures.ts";
import { createRandom } from "../random.ts";
import { readContent } from "../registry-content.ts";
import { acknowledge } from "./acknowledge.ts";

const { folder, seed, rounds, many } = JSON.parse(process.argv[2]!) as {
  folder: string;
  seed: number;
  /** How often the registry is opened, changed and closed. */
  rounds: number;
  /** How many models are registered at once at the end; 1,000 pages of log begin a checkpoint. */
  many: number;
};
const location = join(folder, REGISTRY_FILE);
const random = createRandom(seed, "changes");
let position = 0;

function done(): void {
  acknowledge({ of: "registry", position: position++, digest: readContent(location).digest });
}

function newModel(id: string): NewModel {
  return {
    modelId: `huggingface.co/lab/${id}/${id}.Q4_K_M.gguf`,
    sourceType: "huggingface",
    authorRepo: `lab/${id}`,
    alias: id,
    notes: "n".repeat(random.below(600)),
    tags: ["lab", `tag-${random.below(5)}`],
    metadata: { round: random.below(100), text: "é".repeat(random.below(200)) },
    files: [{ path: `/models/${id}.gguf`, role: "weights", sizeBytes: random.below(1e9) }],
  };
}

async function change(registry: Registry, round: number): Promise<void> {
  const { models, files, runs } = registry;
  const steps: (() => Promise<unknown>)[] = [
    () => models.create(newModel(`a${round}`)),
    () => models.create(newModel(`b${round}`)),
    () => models.update(`a${round}`, { alias: `renamed${round}`, notes: "renamed" }),
    () => models.changeTags(`b${round}`, { add: ["chat"], remove: ["lab"] }),
    () => models.repointAlias(`renamed${round}`, `b${round}`),
    () => Promise.all(["c", "d", "e"].map((id) => models.create(newModel(`${id}${round}`)))),
    () => files.put(`c${round}`, { path: "/models/extra.json", role: "config" }),
    () => files.delete(`c${round}`, `/models/c${round}.gguf`),
    () => models.delete(`d${round}`),
    () => models.createMany(Array.from({ length: 6 }, (_, index) => newModel(`m${round}-${index}`))),
    () =>
      registry.transaction(async (inside) => {
        await inside.models.delete(`m${round}-1`);
        await inside.models.changeAliases(`m${round}-2`, { add: [`m${round}-1`] });
        await inside.models.update(`e${round}`, { pinned: true, metadata: { pinned: round } });
      }),
  ];
  for (const step of steps) {
    await step();
    done();
  }
  const { token } = await runs.acquire(`e${round}`, { holder: "lab", ttlMs: 86_400_000 });
  done();
  await runs.renew(token, { ttlMs: 172_800_000 });
  done();
  await runs.release(token);
  done();
}

const latest = await (async () => {
  await using registry = await openRegistry(location, { migrate: false });
  done();
  const { version, latest: newest } = await registry.schema();
  for (let step = version; step < newest; step++) {
    await registry.migrate(step + 1);
    done();
  }
  return newest;
})();
if (latest < 1) throw new Error("There is no schema.");
for (let round = 0; round < rounds; round++) {
  // The last to close a registry folds its log into it.
  await using registry = await openRegistry(location, { actor: `round ${round}` });
  await change(registry, round);
}
if (many > 0) {
  await using registry = await openRegistry(location);
  await registry.models.createMany(Array.from({ length: many }, (_, index) => newModel(`many${index}`)));
  done();
  await change(registry, rounds);
}
