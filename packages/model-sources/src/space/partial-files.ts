import type { Dir } from "node:fs";
import { opendir } from "node:fs/promises";
import { join } from "node:path";

import { JOURNAL_SUFFIX, PARTIAL_SUFFIX } from "../download/partial-file.ts";
import type { ModelsFolder } from "../folders/models-folder.ts";
import { NEXT_SUFFIX } from "../transfers/delete-written.ts";
import { fileOnDisk, type FileOnDisk } from "./file-on-disk.ts";

/** What files end in that a transfer has not brought to their place. */
export const PARTIAL_SUFFIXES: readonly string[] = [
  PARTIAL_SUFFIX,
  JOURNAL_SUFFIX,
  NEXT_SUFFIX,
  `${NEXT_SUFFIX}${PARTIAL_SUFFIX}`,
];

/** What was fetched of a file that is not whole. */
export interface PartialFile {
  /** Absolute. */
  readonly path: string;
  readonly folder: ModelsFolder;
  readonly onDisk: FileOnDisk;
}

/** The files in models folders that are not whole yet. Links are not followed. */
export async function* partialFiles(
  folders: readonly ModelsFolder[],
): AsyncGenerator<PartialFile, undefined> {
  for (const folder of folders) yield* partialsIn(folder, folder.path);
}

async function* partialsIn(folder: ModelsFolder, path: string): AsyncGenerator<PartialFile, undefined> {
  const entries = await openFolder(path);
  if (entries === undefined) return;
  const inner: string[] = [];
  for await (const entry of entries) {
    const at = join(path, entry.name);
    if (entry.isDirectory()) inner.push(at);
    if (!entry.isFile() || !PARTIAL_SUFFIXES.some((suffix) => entry.name.endsWith(suffix))) continue;
    const onDisk = await fileOnDisk(at);
    if (onDisk !== undefined) yield { path: at, folder, onDisk };
  }
  for (const at of inner) yield* partialsIn(folder, at);
}

async function openFolder(path: string): Promise<Dir | undefined> {
  try {
    return await opendir(path);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "EACCES") return undefined;
    throw error;
  }
}
