/** Opens a registry, creates or migrates it, and says so before and after. */
import { openRegistry } from "../../src/index.ts";
import { say } from "./say.ts";

const { location, from } = JSON.parse(process.argv[2]!) as { location: string; from: number };
if (from === 0) {
  say("migrating");
  await using registry = await openRegistry(location);
  say("migrated", (await registry.schema()).version);
} else {
  await using registry = await openRegistry(location, { migrate: false });
  say("migrating");
  await registry.migrate();
  say("migrated", (await registry.schema()).version);
}
