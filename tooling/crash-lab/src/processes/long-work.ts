/** Does one piece of work that takes a while on the registry of a folder, and says when it begins and ends. */
import { join } from "node:path";

import { createSnapshot, followBackup, openRegistry, repairRegistry } from "@cortex/model-db";

import { BACKUP_FOLDER, numberedModels, REGISTRY_FILE } from "../fixtures.ts";
import { Progress } from "../progress.ts";

const { folder, work } = JSON.parse(process.argv[2]!) as { folder: string; work: string };
const location = join(folder, REGISTRY_FILE);

const WORK: Record<string, () => Promise<unknown>> = {
  async migration() {
    await using registry = await openRegistry(location, { migrate: false });
    await registry.schema();
    console.log("ready");
    await registry.migrate();
  },
  async import() {
    await using registry = await openRegistry(location);
    await registry.models.count();
    console.log("ready");
    await registry.models.createMany(numberedModels("imported", 2000));
  },
  async snapshot() {
    console.log("ready");
    await createSnapshot(location, join(folder, BACKUP_FOLDER));
  },
  async follow() {
    await using registry = await openRegistry(location);
    const ending = new AbortController();
    const backedUp = new Progress();
    const learn = (eventId: number): void => {
      backedUp.reach(eventId);
      console.log(eventId);
    };
    console.log("ready");
    const following = followBackup(location, join(folder, BACKUP_FOLDER), {
      signal: ending.signal,
      onSnapshot: ({ eventId }) => learn(eventId),
      onLogged: learn,
    });
    for (const model of numberedModels("followed", 200)) await registry.models.create(model);
    await backedUp.until(await registry.history.latestEventId(), following);
    ending.abort();
    await following;
  },
  async repair() {
    console.log("ready");
    await repairRegistry(location, { from: join(folder, BACKUP_FOLDER) });
  },
};
await WORK[work]!();
console.log("done");
