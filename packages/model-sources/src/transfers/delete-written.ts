import { rm } from "node:fs/promises";
import { dirname } from "node:path";

import type { Transfer } from "@cortex/model-db";

import { discardPartial } from "../download/partial-file.ts";
import { placeInFolder } from "../folders/place-in-folder.ts";
import { removeEmptyFolders } from "../folders/remove-empty-folders.ts";

/** What the next state of a file is called while the one before it is still in use. */
export const NEXT_SUFFIX = ".next";

/**
 * Deletes what a transfer has written: what is not whole yet, and files in whose place nothing was when it came to
 * them. Folders that are empty then go too.
 */
export async function deleteWritten({ folder: path, files }: Transfer): Promise<void> {
  const folder = { path, isWritable: true };
  for (const file of files) {
    const place = await placeInFolder(folder, file.path);
    for (const name of [place, `${place}${NEXT_SUFFIX}`]) await discardPartial(name);
    await rm(`${place}${NEXT_SUFFIX}`, { force: true });
    if (file.isOurs) await rm(place, { force: true });
    await removeEmptyFolders(path, dirname(place));
  }
}
