/** Changes a registry while a backup follows it, and acknowledges each change, each snapshot and what is in the log. */
import { join } from "node:path";

import { followBackup, openRegistry } from "@cortex/model-db";

import { BACKUP_FOLDER, numberedModels, REGISTRY_FILE } from "../fixtures.ts";
import { Progress } from "../progress.ts";
import { readContent } from "../registry-content.ts";
import { acknowledge } from "./acknowledge.ts";

const { folder, changes } = JSON.parse(process.argv[2]!) as { folder: string; changes: number };
const location = join(folder, REGISTRY_FILE);
let position = 0;
const backedUp = new Progress();

function done(): void {
  acknowledge({ of: "registry", position: position++, digest: readContent(location).digest });
}

await using registry = await openRegistry(location);
done();
const ending = new AbortController();
const following = followBackup(location, join(folder, BACKUP_FOLDER), {
  signal: ending.signal,
  keep: 2,
  // Each change asks for a snapshot after the last one is this old.
  snapshotEveryMs: 300,
  onSnapshot({ eventId }) {
    backedUp.reach(eventId);
    acknowledge({ of: "snapshot", position: eventId });
  },
  onLogged(eventId) {
    backedUp.reach(eventId);
    acknowledge({ of: "log", position: eventId });
  },
});
for (const model of numberedModels("followed", changes)) {
  await registry.models.create(model);
  done();
  await backedUp.until(await registry.history.latestEventId(), following);
}
ending.abort();
await following;
