/** Changes a registry as fast as it can while others do, for a time, and says how often and how long it waited. */
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { openRegistry } from "@cortex/model-db";

const { location, modelId, begin, durationMs } = JSON.parse(process.argv[2]!) as {
  location: string;
  modelId: string;
  /** A file that says when to begin, in Unix milliseconds, once it is there. */
  begin: string;
  durationMs: number;
};
await using registry = await openRegistry(location, { mode: "write" });
await registry.models.get(modelId);
console.log("ready");
while (!existsSync(begin)) await sleep(20);
const startsAt = Number(readFileSync(begin, "utf8"));
await sleep(Math.max(0, startsAt - Date.now()));
let changes = 0;
let longestMs = 0;
// All end at once, too: one that goes on alone is the fastest.
const end = performance.now() + startsAt + durationMs - Date.now();
for (let now = performance.now(); now < end;) {
  // One that is refused as busy ends the process, and the experiment.
  await registry.models.update(modelId, { notes: `note ${changes++}` });
  const before = now;
  now = performance.now();
  longestMs = Math.max(longestMs, now - before);
}
console.log(JSON.stringify({ changes, longestMs }));
