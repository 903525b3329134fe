import { openRegistry, RegistryError, type Registry } from "@cortex/model-db";

import type { Everywhere } from "./everywhere.ts";
import { locationOf } from "./location.ts";
import { isMissing, openUpToDate, openWhereThereIsOne } from "./open-to-read.ts";

// Another program may be about to change many models at once, and who waits at a terminal can interrupt.
const BUSY_TIMEOUT_MS = 60_000;

/**
 * Opens the registry for a verb that only reads. An older schema is brought up to date first.
 * @returns `undefined` where there is no registry yet: nothing is created, and a hint is printed
 */
export async function openForReading(options: Everywhere): Promise<Registry | undefined> {
  return await openWhereThereIsOne(options, openToRead);
}

/**
 * Opens the registry for a verb that reads something which must be there.
 * @throws RegistryError `not_found` where there is no registry yet
 */
export async function openExisting(options: Everywhere): Promise<Registry> {
  const location = locationOf(options);
  return await orExplain(location, openUpToDate(location, openToRead));
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

function openToRead(location: string): Promise<Registry> {
  return openRegistry(location, { mode: "read" });
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
