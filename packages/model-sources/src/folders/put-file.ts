import { link, lstat, open, readFile, rename, rm, utimes } from "node:fs/promises";
import { dirname } from "node:path";

import { RegistryError, toVisible } from "@cortex/model-db";

import { hashFile, type HashOptions } from "../verify/hash-file.ts";
import { copyFile } from "./copy-file.ts";
import { makeFolderDurably, nameDurably, NO_LINKS, syncFolder } from "./durable-folder.ts";

// Told from the downloads that others may be at.
const MOVING_SUFFIX = ".moving.partial";

/**
 * Puts a file in a second place, through to the disk: by a link where both are on one file system, else by a copy that
 * is read again and compared. What an interrupted try has put there is taken as it is.
 *
 * @param sha256 what it holds; `null` where nobody knows.
 * @returns whether it is a copy, and whether it was put there now.
 * @throws RegistryError `name_taken` where another file is in the place, `checksum_mismatch`, `disk_full`.
 */
export async function putFile(
  from: string,
  to: string,
  sha256: string | null,
  options: HashOptions,
): Promise<{ readonly isCopied: boolean; readonly isNew: boolean }> {
  await makeFolderDurably(dirname(to));
  const partial = `${to}${MOVING_SUFFIX}`;
  await rm(partial, { force: true });
  if (await isThere(to)) return { isCopied: await checkSame(from, to, options), isNew: false };
  if (await linkTo(from, to)) return { isCopied: false, isNew: true };
  await using source = await open(from, "r");
  const stats = await source.stat();
  const expected = sha256 ?? (await hashFile(source, { signal: options.signal })).sha256;
  await copyFile(source, partial, expected, options);
  // As old as it was: whoever compares times sees no change.
  await utimes(partial, stats.atime, stats.mtime);
  await nameDurably(partial, to);
  return { isCopied: true, isNew: true };
}

/**
 * Writes a small file where nothing is, through to the disk.
 *
 * @returns whether it was written now: an interrupted try may have done so.
 * @throws RegistryError `name_taken` where another file is in the place.
 */
export async function putNewText(path: string, text: string): Promise<boolean> {
  if (!(await isThere(path))) {
    await putText(path, text);
    return true;
  }
  if ((await readFile(path, "utf8").catch(() => undefined)) === text) return false;
  throw taken(path);
}

/** Writes a small file in one step: whatever happens, it is the old or the new one, whole. */
export async function putText(path: string, text: string): Promise<void> {
  await makeFolderDurably(dirname(path));
  const partial = `${path}${MOVING_SUFFIX}`;
  await rm(partial, { force: true });
  {
    await using file = await open(partial, "wx");
    await file.writeFile(text);
    await file.sync();
  }
  await rename(partial, path);
  await syncFolder(dirname(path));
}

/** @returns `false` where it takes a copy. */
async function linkTo(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "EXDEV" || NO_LINKS.has(code)) return false;
    throw error;
  }
  await syncFolder(dirname(to));
  return true;
}

/** @returns whether they are two files, and not two names of one */
async function checkSame(from: string, to: string, options: HashOptions): Promise<boolean> {
  const [one, other] = await Promise.all([lstat(from, { bigint: true }), lstat(to, { bigint: true })]);
  if (one.dev === other.dev && one.ino === other.ino) return false;
  if (other.isFile() && one.size === other.size) {
    const [read, found] = [await hashFile(from, options), await hashFile(to, { signal: options.signal })];
    if (read.sha256 === found.sha256) return true;
  }
  throw taken(to);
}

function taken(path: string): RegistryError {
  return new RegistryError(
    "name_taken",
    `${toVisible(path)} is there already, and is not overwritten. Move it away.`,
  );
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
