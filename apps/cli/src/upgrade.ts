import { openRegistry, toVisible } from "@cortex/model-db";

import { writeNote } from "./output/stream.ts";

/** Brings a registry of an older schema up to date, and says so: an older program may not read it now. */
export async function upgrade(location: string): Promise<void> {
  await using registry = await openRegistry(location, { mode: "write", migrate: false });
  const { from, to } = await registry.migrate();
  if (from !== to) {
    writeNote(toVisible(`The registry at ${location} was brought from schema version ${from} to ${to}.`));
  }
}
