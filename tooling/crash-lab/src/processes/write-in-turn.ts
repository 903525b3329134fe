/** Changes a registry as fast as it can while others do, for a time, and says how often and how long it waited. */
import { setTimeout as sleep } from "node:timers/promises";

import { openRegistry } from "@cortex/model-db";

const { location, modelId, startsAt, durationMs } = JSON.parse(process.argv[2]!) as {
  location: string;
  modelId: string;
  /** Unix milliseconds. */
  startsAt: number;
  durationMs: number;
};
await using registry = await openRegistry(location, { mode: "write" });
await registry.models.get(modelId);
console.log("ready");
await sleep(startsAt - Date.now());
let changes = 0;
let longestMs = 0;
const end = performance.now() + durationMs;
for (let now = performance.now(); now < end;) {
  // One that is refused as busy ends the process, and the experiment.
  await registry.models.update(modelId, { notes: `note ${changes++}` });
  const before = now;
  now = performance.now();
  longestMs = Math.max(longestMs, now - before);
}
console.log(JSON.stringify({ changes, longestMs }));
