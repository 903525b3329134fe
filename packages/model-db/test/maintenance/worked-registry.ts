import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";

import { createSnapshot, openRegistry, toRecord, type Model, type Registry } from "../../src/index.ts";
import { ChangeLogWriter } from "../../src/maintenance/change-log.ts";

/** What a registry held when it was last sound: each model with its files, as text, by its id. */
type Truth = ReadonlyMap<string, string>;

/** A registry that was worked with, closed, and what there is beside it. */
export interface WorkedRegistry {
  readonly registryId: string;
  /** The closed file. */
  readonly path: string;
  /** A copy that was taken while it was open, so that it has a write-ahead log. */
  readonly openCopy: string;
  /** With a snapshot that has nine tenths of the changes, and a log of the rest. */
  readonly backup: string;
  /** With that snapshot alone. */
  readonly snapshotOnly: string;
  readonly truth: Truth;
  /** Every state that any model ever had. */
  readonly past: ReadonlySet<string>;
  readonly newestEventId: number;
}

/** A row of numbers below a bound, the same for the same seed. */
export function seeded(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** Makes a registry of some models that are changed in all ways, a third of them deleted or made later. */
export async function makeWorkedRegistry(folder: string, count: number): Promise<WorkedRegistry> {
  const path = join(folder, "registry.db");
  const past = new Set<string>();
  const random = seeded(11);
  await using registry = await openRegistry(path, { actor: "worker" });
  const ids = Array.from({ length: count }, (_, index) => `author-${index % 9}:model-${index}:q4.gguf`);
  await registry.models.createMany(ids.map((modelId, index) => newModel(modelId, index)));
  for (const state of (await statesOf(registry)).values()) past.add(state);
  const work = async (changes: number): Promise<void> => {
    for (let change = 0; change < changes; change++) {
      const id = await changeOne(registry, ids, random);
      const model = await registry.models.find(id);
      if (model !== undefined) past.add(await stateOf(registry, model));
    }
  };
  await work(count);
  const snapshotOnly = join(folder, "snapshot-only");
  await createSnapshot(path, snapshotOnly);
  const backup = join(folder, "backup");
  const { eventId } = await createSnapshot(path, backup);
  await work(Math.floor(count / 5));
  using log = new ChangeLogWriter(backup, registry.registryId, { after: eventId });
  const { items } = await registry.history.list({ order: "asc", limit: 1000, cursor: String(eventId) });
  log.append(items);
  const openCopy = join(folder, "open.db");
  for (const end of ["", "-wal", "-shm"]) copyFileSync(path + end, openCopy + end);
  return {
    registryId: registry.registryId,
    path,
    openCopy,
    backup,
    snapshotOnly,
    truth: await statesOf(registry),
    past,
    newestEventId: await registry.history.latestEventId(),
  };
}

/** Each model of a registry with its files, as text, by its id. */
export async function statesOf(registry: Registry): Promise<Map<string, string>> {
  const states = new Map<string, string>();
  for await (const model of registry.models.all()) states.set(model.modelId, await stateOf(registry, model));
  return states;
}

/** Copies a database with what lies beside it. */
export function copyDatabase(from: string, to: string): void {
  for (const end of ["", "-wal", "-shm"]) if (existsSync(from + end)) copyFileSync(from + end, to + end);
}

async function stateOf({ files }: Registry, model: Model): Promise<string> {
  return JSON.stringify([toRecord(model), await files.list(model.modelId)]);
}

function newModel(modelId: string, index: number): Parameters<Registry["models"]["create"]>[0] {
  return {
    modelId,
    sourceType: "local",
    alias: `alias-${index}`,
    tags: ["chat", `t${index % 5}`],
    notes: index % 13 === 0 ? `long ${index} `.repeat(900) : `notes of ${index}`,
    metadata: { index, words: "w".repeat((index * 7) % 120) },
    files: index % 3 === 0 ? [{ path: `/models/${index}.gguf`, role: "weights", sizeBytes: index }] : [],
  };
}

async function changeOne(
  registry: Registry,
  ids: string[],
  random: (bound: number) => number,
): Promise<string> {
  const { models, files } = registry;
  const at = random(ids.length);
  const id = ids[at]!;
  const kind = random(10);
  if (kind < 4) await models.update(id, { notes: `changed ${random(1e6)} `.repeat(random(12)) });
  else if (kind < 5) await models.changeTags(id, { add: [`x${random(1e6)}`] });
  else if (kind < 6) await models.changeAliases(id, { add: [`name-${random(1e9)}`] });
  else if (kind < 8)
    await files.put(id, { path: `/more/${random(4)}`, role: "other", sizeBytes: random(1e6) });
  else if (kind < 9) {
    await models.delete(id);
    ids.splice(at, 1);
  } else {
    const modelId = `later-${random(1e9)}`;
    await models.create(newModel(modelId, random(1e9)));
    ids.push(modelId);
    return modelId;
  }
  return id;
}
