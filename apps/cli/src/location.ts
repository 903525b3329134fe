import { defaultRegistryLocation } from "@cortex/model-db";

import { MisuseError } from "./errors.ts";
import type { Everywhere } from "./everywhere.ts";

/** Where the registry of a command is. */
export function locationOf({ db }: Everywhere): string {
  if (db === "") throw new MisuseError("--db needs the path of a registry.");
  return db ?? defaultRegistryLocation(process.env);
}
