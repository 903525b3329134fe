import { lstat, link, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

import { RegistryError, toVisible } from "@cortex/model-db";

/** Makes a folder, with those on the way, so that it survives a power failure; what is there already stays. */
export async function makeFolderDurably(path: string): Promise<void> {
  if ((await stat(path).catch(() => undefined))?.isDirectory() === true) return;
  if (dirname(path) !== path) await makeFolderDurably(dirname(path));
  if (await makeNewFolder(path)) return;
  if (!(await stat(path)).isDirectory()) {
    throw new RegistryError("name_taken", `${toVisible(path)} is no folder. Move it away.`);
  }
}

/**
 * Makes a folder that must not be there yet, so that it survives a power failure.
 *
 * @returns `false` where something of that name is there.
 */
export async function makeNewFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

/** Waits until the names in a folder are on the disk. */
export async function syncFolder(path: string): Promise<void> {
  // Windows does not open folders, and writes names through.
  if (process.platform === "win32") return;
  await using handle = await open(path, "r");
  await handle.sync();
}

/**
 * Gives a file that is on the disk its name, which must not be taken, so that it survives a power failure.
 *
 * @throws RegistryError `name_taken`.
 */
export async function nameDurably(from: string, to: string): Promise<void> {
  try {
    // Unlike a rename, a link never takes the place of something else.
    await link(from, to);
    await rm(from);
  } catch (error) {
    if (!NO_LINKS.has((error as NodeJS.ErrnoException).code ?? "")) throw asTaken(to, error);
    if ((await lstat(to).catch(() => undefined)) !== undefined) throw taken(to);
    await rename(from, to);
  }
  await syncFolder(dirname(to));
}

/** What systems say of a file system that knows no links. */
export const NO_LINKS: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

function asTaken(path: string, error: unknown): unknown {
  return (error as NodeJS.ErrnoException).code === "EEXIST" ? taken(path) : error;
}

function taken(path: string): RegistryError {
  return new RegistryError("name_taken", `${toVisible(path)} is there already, and is not overwritten.`);
}
