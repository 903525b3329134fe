import { openRegistry, toVisible, type Registry } from "@cortex/model-db";

import { writeNote } from "./output/stream.ts";

/** Opens a registry of an older schema, brings it up to date, and says so: an older program may not read it now. */
export async function upgrade(location: string): Promise<Registry> {
  const registry = await openRegistry(location, { mode: "write", migrate: false });
  const { from, to } = await registry.migrate();
  if (from !== to) {
    writeNote(toVisible(`The registry at ${location} was brought from schema version ${from} to ${to}.`));
  }
  return registry;
}
