/** Does one piece of work that takes a while on the registry of a folder, and says when it begins and ends. */
import { join } from "node:path";

import { createSnapshot, openRegistry } from "@cortex/model-db";

import { BACKUP_FOLDER, numberedModels, REGISTRY_FILE } from "../fixtures.ts";

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
};
await WORK[work]!();
console.log("done");
