import {
  defaultRegistryLocation,
  isRegistryError,
  openRegistry,
  RegistryError,
  toVisible,
  type Registry,
} from "@cortex/model-db";

import { MisuseError } from "./errors.ts";
import type { Everywhere } from "./everywhere.ts";
import { writeNote } from "./output/stream.ts";

// Another program may be about to change many models at once, and who waits at a terminal can interrupt.
const BUSY_TIMEOUT_MS = 60_000;

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
    return await openToRead(location);
  } catch (error) {
    if (!isMissing(error)) throw error;
    const { missingRegistry } = await import("./missing-registry.ts");
    writeNote(toVisible(missingRegistry(location)));
    return undefined;
  }
}

/**
 * Opens the registry for a verb that reads something which must be there.
 * @throws RegistryError `not_found` where there is no registry yet
 */
export async function openExisting(options: Everywhere): Promise<Registry> {
  const location = locationOf(options);
  return await orExplain(location, openToRead(location));
}

/** Opens the registry for a verb that changes what is there. @throws RegistryError `not_found` where there is none */
export async function openForWriting(options: Everywhere): Promise<Registry> {
  const { actor } = await import("./actor.ts");
  const location = locationOf(options);
  return await orExplain(
    location,
    openRegistry(location, { mode: "write", actor: actor(), busyTimeoutMs: BUSY_TIMEOUT_MS }),
  );
}

/** Opens the registry for a verb that may be the first to write to it. */
export async function openOrCreate(options: Everywhere): Promise<Registry> {
  const { actor } = await import("./actor.ts");
  return await openRegistry(locationOf(options), {
    mode: "create",
    actor: actor(),
    busyTimeoutMs: BUSY_TIMEOUT_MS,
  });
}

/**
 * Opens a registry that exists for changes that will be given up.
 * @throws RegistryError `schema_too_old`: an older schema stays as it is
 */
export async function openForRehearsal(options: Everywhere): Promise<Registry> {
  const { actor } = await import("./actor.ts");
  const location = locationOf(options);
  await (await openRegistry(location, { mode: "read" })).close();
  return await openRegistry(location, {
    mode: "write",
    migrate: false,
    actor: actor(),
    busyTimeoutMs: BUSY_TIMEOUT_MS,
  });
}

async function openToRead(location: string): Promise<Registry> {
  try {
    return await openRegistry(location, { mode: "read" });
  } catch (error) {
    if (!isRegistryError(error) || error.code !== "schema_too_old") throw error;
    const { upgrade } = await import("./upgrade.ts");
    return await upgrade(location);
  }
}

async function orExplain(location: string, opening: Promise<Registry>): Promise<Registry> {
  try {
    return await opening;
  } catch (error) {
    if (!isMissing(error)) throw error;
    const { missingRegistry } = await import("./missing-registry.ts");
    throw new RegistryError("not_found", missingRegistry(location));
  }
}

function isMissing(error: unknown): boolean {
  return isRegistryError(error) && error.code === "not_found";
}
