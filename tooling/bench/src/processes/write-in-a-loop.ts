import { isRegistryError, openRegistry } from "@cortex/model-db";

import { aliasAt } from "../dataset.ts";

// One of several processes that write all the time: write-in-a-loop.ts <registry> <which> <start> <milliseconds>
// Prints how many commits it made, its longest wait for one in milliseconds, and how many busy errors it met.
const [path, which, start, duration] = process.argv.slice(2);
const registry = await openRegistry(path!, { mode: "write", actor: `writer ${which}` });
const name = aliasAt(Number(which));
let pinned = false;
let commits = 0;
let longestMs = 0;
let busy = 0;
await registry.models.resolve(name);
const startsAt = Number(start);
await new Promise((resolve) => setTimeout(resolve, startsAt - Date.now()));
const end = performance.now() + Number(duration);
while (performance.now() < end) {
  const before = performance.now();
  try {
    pinned = !pinned;
    await registry.models.update(name, { pinned });
    commits++;
  } catch (error) {
    if (!isRegistryError(error) || error.code !== "database_busy") throw error;
    busy++;
  }
  longestMs = Math.max(longestMs, performance.now() - before);
}
await registry.close();
console.log(JSON.stringify({ commits, longestMs, busy }));
