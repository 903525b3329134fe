import type { Dirent, Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import { RegistryError, toVisible } from "@cortex/model-db";

import { asRegistryError, checkWithin } from "./local-file.ts";

/** A folder with the files in it that may belong to models, by name. */
export interface FolderListing {
  /** Absolute, as it was come by: not without links. */
  readonly path: string;
  readonly names: readonly string[];
  /** The files asked for by name; `undefined` where the whole folder was. */
  readonly asked?: readonly string[] | undefined;
}

/** Something that was asked for and is not there, or not for us. */
export interface Refusal {
  readonly path: string;
  readonly error: RegistryError;
}

const MAX_ENTRIES = 1_000_000;

/**
 * Looks for the files below some paths, at any depth. What begins with a dot is left alone below them, and a
 * folder that several links lead to is looked at once.
 *
 * @param within folders outside of which nothing is looked at, whatever links say.
 */
export async function* findFolders(
  paths: readonly string[],
  within: readonly string[] | undefined,
): AsyncGenerator<FolderListing | Refusal, undefined> {
  const askedFor = new Map<string, string[]>();
  const folders: string[] = [];
  for (const path of paths.map((each) => resolve(each))) {
    const stats = await look(path, within);
    if (stats instanceof RegistryError) yield { path, error: stats };
    else if (stats.isDirectory()) folders.push(path);
    else askedFor.set(dirname(path), [...(askedFor.get(dirname(path)) ?? []), basename(path)]);
  }
  for (const [path, asked] of askedFor) {
    const listing = await list(path, within);
    // Who may not list a folder can still know what is in it.
    yield { path, names: listing instanceof RegistryError ? asked : listing.files, asked };
  }
  yield* walk(folders, within);
}

async function look(path: string, within: readonly string[] | undefined): Promise<Stats | RegistryError> {
  try {
    if (within !== undefined) await checkWithin(path, within);
    return await stat(path);
  } catch (error) {
    return asRegistryError(path, error);
  }
}

async function* walk(
  roots: readonly string[],
  within: readonly string[] | undefined,
): AsyncGenerator<FolderListing | Refusal, undefined> {
  const waiting = [...roots].toReversed();
  const seen = new Set<string>();
  let entries = 0;
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const listing = await list(path, within);
    if (listing instanceof RegistryError) {
      yield { path, error: listing };
      continue;
    }
    if (seen.has(listing.real)) continue;
    seen.add(listing.real);
    entries += listing.files.length + listing.folders.length;
    if (entries > MAX_ENTRIES) {
      const error = new RegistryError(
        "invalid_input",
        `${toVisible(path)}: there are more than ${MAX_ENTRIES.toLocaleString("en")} files up to here. Import the folders below one by one.`,
      );
      yield { path, error };
      return;
    }
    yield { path, names: listing.files };
    for (const name of listing.folders.toReversed()) waiting.push(join(path, name));
  }
}

interface Listing {
  readonly real: string;
  readonly files: string[];
  readonly folders: string[];
}

async function list(path: string, within: readonly string[] | undefined): Promise<Listing | RegistryError> {
  try {
    if (within !== undefined) await checkWithin(path, within);
    const real = await realpath(path);
    const listing: Listing = { real, files: [], folders: [] };
    const found = await readdir(path, { withFileTypes: true });
    for (const entry of found.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith(".")) continue;
      if (await isFolder(path, entry)) listing.folders.push(entry.name);
      else listing.files.push(entry.name);
    }
    return listing;
  } catch (error) {
    return asRegistryError(path, error);
  }
}

async function isFolder(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  const target = await stat(join(path, entry.name)).catch(() => undefined);
  return target?.isDirectory() === true;
}
