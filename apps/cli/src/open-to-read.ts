import { isRegistryError, openReader, toVisible, type RegistryReader } from "@cortex/model-db";

import type { Everywhere } from "./everywhere.ts";
import { locationOf } from "./location.ts";
import { writeNote } from "./output/stream.ts";

/**
 * Opens the registry for a verb that only reads models. An older schema is brought up to date first.
 * @returns `undefined` where there is no registry yet: nothing is created, and a hint is printed
 */
export async function openModels(options: Everywhere): Promise<RegistryReader | undefined> {
  return await openWhereThereIsOne(options, openReader);
}

/** As {@link openModels}, in a way of the caller's. */
export async function openWhereThereIsOne<R>(
  options: Everywhere,
  open: (location: string) => Promise<R>,
): Promise<R | undefined> {
  const location = locationOf(options);
  try {
    return await openUpToDate(location, open);
  } catch (error) {
    if (!isMissing(error)) throw error;
    const { missingRegistry } = await import("./missing-registry.ts");
    writeNote(toVisible(missingRegistry(location)));
    return undefined;
  }
}

/** Opens a registry that cannot be read while its schema is an older one: that is brought up to date. */
export async function openUpToDate<R>(location: string, open: (location: string) => Promise<R>): Promise<R> {
  try {
    return await open(location);
  } catch (error) {
    if (!isRegistryError(error) || error.code !== "schema_too_old") throw error;
    const { upgrade } = await import("./upgrade.ts");
    await upgrade(location);
    return await open(location);
  }
}

/** Whether there was no registry to be opened. */
export function isMissing(error: unknown): boolean {
  return isRegistryError(error) && error.code === "not_found";
}
