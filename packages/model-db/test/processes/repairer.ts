/** Repairs a registry, and says when it begins and ends. */
import { repairRegistry } from "../../src/index.ts";
import { say } from "./say.ts";

const { location, from } = JSON.parse(process.argv[2]!) as { location: string; from: string };
say("begins");
const report = await repairRegistry(location, { from });
say("done", report?.setAside ?? null);
