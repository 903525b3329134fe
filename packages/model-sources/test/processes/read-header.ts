import { existsSync, readFileSync } from "node:fs";

import { isRegistryError } from "@cortex/model-db";

import { readGgufFacts } from "../../src/facts/gguf-facts.ts";
import { LocalFile } from "../../src/import/local-file.ts";

/** Reads what a file says, and prints the outcome, how long it took, and the most memory that the process had. */
const [path = ""] = process.argv.slice(2);
await using file = await LocalFile.open(path);
const start = process.cpuUsage();
let outcome = "read";
try {
  await readGgufFacts(file, path);
} catch (error) {
  outcome = isRegistryError(error) ? error.code : String(error);
}
const { user, system } = process.cpuUsage(start);
// Of the processor: other processes take their time, too.
const milliseconds = (user + system) / 1000;
console.log(JSON.stringify({ outcome, milliseconds, maxRssBytes: maxRssBytes() }));

function maxRssBytes(): number {
  // `getrusage` begins with what the parent had when it forked.
  const status = existsSync("/proc/self/status") ? readFileSync("/proc/self/status", "utf8") : "";
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  return 1024 * (kilobytes === undefined ? process.resourceUsage().maxRSS : Number(kilobytes));
}
