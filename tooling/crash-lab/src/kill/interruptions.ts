import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import {
  checkRegistry,
  createSnapshot,
  followBackup,
  isIntactSnapshot,
  listSnapshots,
  openRegistry,
  readChangeLog,
  repairRegistry,
} from "@cortex/model-db";

import {
  BACKUP_FOLDER,
  makeDamagedRegistry,
  makeRegistry,
  numberedModels,
  REGISTRY_FILE,
} from "../fixtures.ts";
import { checkHistory } from "./check-history.ts";

/** Work that takes a while, and what must hold when its process is killed in the middle. */
export interface Interruption {
  readonly name: string;
  prepare(folder: string): Promise<void>;
  /** What is wrong afterwards. @param said what the work told of itself, a line for each word. */
  check(folder: string, said: readonly string[]): Promise<string[]>;
}

const MODELS = 2000;

export const INTERRUPTIONS: readonly Interruption[] = [
  {
    name: "migration",
    prepare: (folder) => makeRegistry(folder, numberedModels("old", MODELS), 3),
    async check(folder, said) {
      const location = join(folder, REGISTRY_FILE);
      const problems: string[] = [];
      {
        await using registry = await openRegistry(location, { migrate: false });
        const { version, latest } = await registry.schema();
        if (said.includes("done") && version < latest)
          problems.push(`it was told to be done, and is at ${version}`);
      }
      await using registry = await openRegistry(location);
      const found = await registry.models.count({ search: "indexed" });
      // One in twenty has no notes.
      if (found !== MODELS - MODELS / 20) problems.push(`the search finds ${found}`);
      return [...problems, ...checkHistory(location, [])];
    },
  },
  {
    name: "import",
    prepare: (folder) => makeRegistry(folder, numberedModels("there", 100)),
    async check(folder, said) {
      const location = join(folder, REGISTRY_FILE);
      await using registry = await openRegistry(location);
      const imported = (await registry.models.count()) - 100;
      const whole = imported === 2000 || (imported === 0 && !said.includes("done"));
      return [...(whole ? [] : [`${imported} of 2000 were imported`]), ...checkHistory(location, [])];
    },
  },
  {
    name: "snapshot",
    async prepare(folder) {
      await makeRegistry(folder, numberedModels("there", MODELS));
      await createSnapshot(join(folder, REGISTRY_FILE), join(folder, BACKUP_FOLDER));
    },
    async check(folder, said) {
      const location = join(folder, REGISTRY_FILE);
      const backup = join(folder, BACKUP_FOLDER);
      const problems: string[] = [];
      if (listSnapshots(backup).length < (said.includes("done") ? 2 : 1))
        problems.push("a snapshot is missing");
      // Whatever the killed process left does not stand in the way of the next.
      await createSnapshot(location, backup);
      for (const snapshot of listSnapshots(backup)) {
        if (!isIntactSnapshot(snapshot)) problems.push(`${snapshot.path} is not what was written`);
        problems.push(...checkHistory(snapshot.path, []));
      }
      return [...problems, ...checkHistory(location, [])];
    },
  },
  {
    name: "follow",
    prepare: (folder) => makeRegistry(folder, numberedModels("there", 100)),
    async check(folder, said) {
      const location = join(folder, REGISTRY_FILE);
      const backup = join(folder, BACKUP_FOLDER);
      const problems: string[] = [];
      const told = Math.max(0, ...said.map(Number).filter(Number.isSafeInteger));
      if ((await backedUpTo(backup)) < told)
        problems.push(`${told} was told to be in the backup, and is not`);
      const newest = await newestEventId(location);
      // The next run goes on where this one ended.
      const ending = new AbortController();
      const following = followBackup(location, backup, { signal: ending.signal });
      while ((await backedUpTo(backup)) < newest) await Promise.race([sleep(20), following]);
      ending.abort();
      await following;
      return [...problems, ...checkHistory(location, [])];
    },
  },
  {
    name: "repair",
    prepare: (folder) => makeDamagedRegistry(folder, numberedModels("there", 500)),
    async check(folder, said) {
      const location = join(folder, REGISTRY_FILE);
      const report = await repairRegistry(location, { from: join(folder, BACKUP_FOLDER) });
      const problems =
        said.includes("done") && report !== undefined ? ["it was told to be done, and was not"] : [];
      await using registry = await openRegistry(location);
      const count = await registry.models.count();
      if (count !== 500) problems.push(`${count} of 500 models are there`);
      for await (const { severity, message } of checkRegistry(location, { full: true })) {
        if (severity === "damage") problems.push(message);
      }
      return problems;
    },
  },
];

/** The newest event that a backup holds without a gap before it. */
async function backedUpTo(backup: string): Promise<number> {
  let eventId = listSnapshots(backup)[0]?.eventId ?? 0;
  for await (const event of readChangeLog(backup, { after: eventId })) {
    if (event.eventId !== eventId + 1) break;
    eventId = event.eventId;
  }
  return eventId;
}

async function newestEventId(location: string): Promise<number> {
  await using registry = await openRegistry(location, { mode: "read" });
  return registry.history.latestEventId();
}
