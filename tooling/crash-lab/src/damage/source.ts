import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import {
  createSnapshot,
  followBackup,
  lastLoggedEventId,
  listSnapshots,
  openRegistry,
  type NewModel,
  type Registry,
} from "@cortex/model-db";

import { REGISTRY_FILE } from "../fixtures.ts";
import { Progress } from "../progress.ts";
import { createRandom, type Random } from "../random.ts";
import { readModels, type ModelRows } from "./models.ts";

/** What there is beside a damaged registry. */
export const BACKUPS = ["none", "snapshot", "snapshot and log"] as const;
export type BackupKind = (typeof BACKUPS)[number];

/** A registry as a program left it: `closed`, or `open` when it was killed, with changes in the log alone. */
export interface SourceState {
  readonly name: "closed" | "open";
  /** Holds the registry's files and nothing else. */
  readonly folder: string;
  /** Backup folders by kind. */
  readonly backups: Readonly<Record<Exclude<BackupKind, "none">, string>>;
  /** What the models are, by id. */
  readonly truth: ReadonlyMap<string, ModelRows>;
}

export interface Source {
  readonly states: readonly SourceState[];
  /** Every row that a model or a file ever had. */
  readonly versions: ReadonlySet<string>;
  /** The logs of another registry, and of this one at an earlier time. */
  readonly foreignLog: string;
  readonly staleLog: string;
  /** The closed registry as it was before its last tenth of changes. */
  readonly olderFile: string;
}

const DESCRIPTION = "source.json";

/** Makes registries and their backups in a folder, a tenth of the changes after the snapshot. */
export async function makeSource(folder: string, models: number, seed: number): Promise<Source> {
  const work = join(folder, "work");
  mkdirSync(work, { recursive: true });
  const location = join(work, REGISTRY_FILE);
  const random = createRandom(seed, "source");
  const versions = new Set<string>();
  const staleLog = join(folder, "stale-wal");
  {
    await using registry = await openRegistry(location, { actor: "lab" });
    await registry.models.createMany(Array.from({ length: models }, (_, index) => newModel(index, random)));
    for (const row of [...readModels(location).values()].flat()) versions.add(row);
    await change(registry, models, random, versions);
    copyFileSync(`${location}-wal`, staleLog);
  }
  const snapshot = join(folder, "snapshot");
  await createSnapshot(location, snapshot);
  const olderFile = join(folder, "older.db");
  copyFileSync(location, olderFile);
  const log = join(folder, "log");
  const states: SourceState[] = [];
  const keep = async (name: SourceState["name"]): Promise<void> => {
    const kept = join(folder, name);
    mkdirSync(kept);
    for (const file of readdirSync(work)) {
      if (!file.endsWith(".ballast") && !file.endsWith(".json"))
        copyFileSync(join(work, file), join(kept, file));
    }
    cpSync(log, `${kept}-log`, { recursive: true });
    states.push({
      name,
      folder: kept,
      backups: { snapshot, "snapshot and log": `${kept}-log` },
      truth: readModels(location),
    });
  };
  await followed(location, log, async () => {
    await using registry = await openRegistry(location, { actor: "lab" });
    await change(registry, models / 10, random, versions);
  });
  // Whoever followed reads only: a writer that is the last folds the log into the file.
  await (await openRegistry(location)).close();
  await keep("closed");
  await followed(location, log, async (until) => {
    await using registry = await openRegistry(location, { actor: "lab" });
    await change(registry, 20, random, versions);
    await until(await registry.history.latestEventId());
    await keep("open");
  });
  const foreign = join(folder, "foreign");
  mkdirSync(foreign);
  const foreignLog = join(folder, "foreign-wal");
  {
    await using registry = await openRegistry(join(foreign, REGISTRY_FILE));
    await registry.models.createMany(Array.from({ length: 50 }, (_, index) => newModel(index, random)));
    copyFileSync(join(foreign, `${REGISTRY_FILE}-wal`), foreignLog);
  }
  const source: Source = { states, versions, foreignLog, staleLog, olderFile };
  writeFileSync(join(folder, DESCRIPTION), JSON.stringify(source, toJson));
  return source;
}

/** The source that {@link makeSource} left in a folder: the same down to its bytes. */
export function readSource(folder: string): Source {
  return JSON.parse(readFileSync(join(folder, DESCRIPTION), "utf8"), fromJson) as Source;
}

function toJson(_: string, value: unknown): unknown {
  if (value instanceof Map) return { map: [...value] };
  return value instanceof Set ? { set: [...value] } : value;
}

function fromJson(_: string, value: unknown): unknown {
  const { map, set } = (value ?? {}) as { map?: [string, unknown][]; set?: string[] };
  if (Array.isArray(map)) return new Map(map);
  return Array.isArray(set) ? new Set(set) : value;
}

// Follows while some work is done, from its first change to its last.
async function followed(
  location: string,
  folder: string,
  work: (until: (eventId: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  const ending = new AbortController();
  const backedUp = new Progress(
    Math.max(lastLoggedEventId(folder) ?? 0, listSnapshots(folder)[0]?.eventId ?? 0),
  );
  const following = followBackup(location, folder, {
    signal: ending.signal,
    onSnapshot: ({ eventId }) => backedUp.reach(eventId),
    onLogged: (eventId) => backedUp.reach(eventId),
  });
  const until = (eventId: number): Promise<void> => backedUp.until(eventId, following);
  // The first run begins with a snapshot.
  await until(await newestEventId(location));
  await work(until);
  await until(await newestEventId(location));
  ending.abort();
  await following;
}

async function newestEventId(location: string): Promise<number> {
  await using registry = await openRegistry(location, { mode: "read" });
  return registry.history.latestEventId();
}

/** Changes models in all ways: so many changes, one in ten a deletion and one in ten a new model. */
async function change(
  { location, models, files }: Registry,
  count: number,
  random: Random,
  versions: Set<string>,
): Promise<void> {
  const ids = (await Array.fromAsync(models.all(), ({ modelId }) => modelId)).filter((id) =>
    id.startsWith("model-"),
  );
  let next = ids.length * 10 + random.below(1e6);
  for (let made = 0; made < count; made++) {
    const at = random.below(ids.length);
    let id = ids[at]!;
    const kind = random.below(10);
    if (kind === 0) {
      await models.delete(id);
      ids.splice(at, 1);
      continue;
    }
    if (kind === 1) {
      id = (await models.create(newModel(next++, random))).modelId;
      ids.push(id);
    } else if (kind < 4) {
      await models.changeTags(id, { add: [`tag-${random.below(50)}`] });
    } else if (kind < 6) {
      await files.put(id, { path: `/models/${id}/${random.below(5)}.json`, role: "config", sizeBytes: made });
    } else {
      await models.update(id, { notes: text(random, 300), sizeBytes: random.below(1e9) });
    }
    for (const row of [...readModels(location, [id]).values()].flat()) versions.add(row);
  }
}

function newModel(index: number, random: Random): NewModel {
  return {
    modelId: `model-${index}`,
    sourceType: "huggingface",
    authorRepo: `author-${random.below(40)}/repo-${index}`,
    notes: text(random, 400),
    // Some do not fit into a page.
    metadata: { index, text: text(random, random.chance(0.02) ? 9000 : 200) },
    tags: [`tag-${random.below(50)}`],
    files: [{ path: `/models/model-${index}.gguf`, role: "weights", sizeBytes: random.below(1e9) }],
  };
}

function text(random: Random, length: number): string {
  const words = ["llama", "mistral", "quantized", "chat", "instruct", "größe", "模型", "context", "tokens"];
  let made = "";
  while (made.length < length) made += `${random.pick(words)}-${random.below(1000)} `;
  return made.slice(0, random.below(length));
}
