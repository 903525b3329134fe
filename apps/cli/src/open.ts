import {
  defaultRegistryLocation,
  isRegistryError,
  openRegistry,
  type Registry,
  type RegistryOptions,
} from "@cortex/model-db";

import { MisuseError } from "./errors.ts";
import type { Everywhere } from "./everywhere.ts";

/** Where the registry of a command is. */
export function locationOf({ db }: Everywhere): string {
  if (db === "") throw new MisuseError("--db needs the path of a registry.");
  return db ?? defaultRegistryLocation(process.env);
}

/**
 * Opens the registry for a verb that only reads. An older schema is brought up to date first.
 * @returns `undefined` where there is no registry yet: nothing is created, and a hint is printed
 */
export async function openForReading(options: Everywhere): Promise<Registry | undefined> {
  const location = locationOf(options);
  try {
    return await openRegistry(location, { mode: "read" });
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    if (error.code === "schema_too_old") return await openRegistry(location, { mode: "write" });
    if (error.code !== "not_found") throw error;
    const { hintAtMissingRegistry } = await import("./missing-registry.ts");
    hintAtMissingRegistry(location);
    return undefined;
  }
}

/** Opens the registry for a verb that changes what is there. @throws RegistryError `not_found` where there is none */
export async function openForWriting(options: Everywhere): Promise<Registry> {
  return await open(options, "write");
}

/** Opens the registry for a verb that may be the first to write to it. */
export async function openOrCreate(options: Everywhere): Promise<Registry> {
  return await open(options, "create");
}

async function open(options: Everywhere, mode: NonNullable<RegistryOptions["mode"]>): Promise<Registry> {
  const { actor } = await import("./actor.ts");
  const location = locationOf(options);
  try {
    return await openRegistry(location, { mode, actor: actor() });
  } catch (error) {
    if (!isRegistryError(error) || error.code !== "not_found") throw error;
    const { oldStoreHint } = await import("./missing-registry.ts");
    error.message += oldStoreHint() ?? " `cortex add` makes one.";
    throw error;
  }
}
