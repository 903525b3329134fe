/** Makes changes and watches, and ends without closing its registry, in the way it is told to. */
import { openRegistry } from "../../src/index.ts";
import { say } from "./say.ts";

const { location, way } = JSON.parse(process.argv[2]!) as { location: string; way: "end" | "throw" | "exit" };
const registry = await openRegistry(location);
const watch = registry.watch();
await registry.models.create({ modelId: way, sourceType: "local" });
await watch.next();
await registry.models.list();
say("made");
if (way === "exit") process.exit(0);
if (way === "throw") throw new Error("on purpose");
