import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

// Imported into a server before it starts: tells whoever started it what it has used, when asked.
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
setFlagsFromString("--no-expose-gc");

process.on("message", (what) => {
  if (what === "collect") collectGarbage();
  const { user, system } = process.cpuUsage();
  const { heapUsed, rss } = process.memoryUsage();
  process.send!({ cpuMicros: user + system, heapBytes: heapUsed, residentBytes: rss });
});
process.on("disconnect", () => process.exit());
process.channel?.unref();
