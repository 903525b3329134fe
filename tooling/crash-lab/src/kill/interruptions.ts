import { join } from "node:path";

import { createSnapshot, isIntactSnapshot, listSnapshots, openRegistry } from "@cortex/model-db";

import { BACKUP_FOLDER, makeRegistry, numberedModels, REGISTRY_FILE } from "../fixtures.ts";
import { checkHistory } from "./check-history.ts";

/** Work that takes a while, and what must hold when its process is killed in the middle. */
export interface Interruption {
  readonly name: string;
  prepare(folder: string): Promise<void>;
  /** What is wrong afterwards. @param finished whether the work was told to be done. */
  check(folder: string, finished: boolean): Promise<string[]>;
}

const MODELS = 2000;

export const INTERRUPTIONS: readonly Interruption[] = [
  {
    name: "migration",
    prepare: (folder) => makeRegistry(folder, numberedModels("old", MODELS), 3),
    async check(folder, finished) {
      const location = join(folder, REGISTRY_FILE);
      const problems: string[] = [];
      {
        await using registry = await openRegistry(location, { migrate: false });
        const { version, latest } = await registry.schema();
        if (finished && version < latest) problems.push(`it was told to be done, and is at ${version}`);
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
    async check(folder, finished) {
      const location = join(folder, REGISTRY_FILE);
      await using registry = await openRegistry(location);
      const imported = (await registry.models.count()) - 100;
      const whole = imported === 2000 || (imported === 0 && !finished);
      return [...(whole ? [] : [`${imported} of 2000 were imported`]), ...checkHistory(location, [])];
    },
  },
  {
    name: "snapshot",
    async prepare(folder) {
      await makeRegistry(folder, numberedModels("there", MODELS));
      await createSnapshot(join(folder, REGISTRY_FILE), join(folder, BACKUP_FOLDER));
    },
    async check(folder, finished) {
      const location = join(folder, REGISTRY_FILE);
      const backup = join(folder, BACKUP_FOLDER);
      const problems: string[] = [];
      if (listSnapshots(backup).length < (finished ? 2 : 1)) problems.push("a snapshot is missing");
      // Whatever the killed process left does not stand in the way of the next.
      await createSnapshot(location, backup);
      for (const snapshot of listSnapshots(backup)) {
        if (!isIntactSnapshot(snapshot)) problems.push(`${snapshot.path} is not what was written`);
        problems.push(...checkHistory(snapshot.path, []));
      }
      return [...problems, ...checkHistory(location, [])];
    },
  },
];
