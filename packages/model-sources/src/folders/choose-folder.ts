import { statfs } from "node:fs/promises";
import { dirname } from "node:path";

import { formatSize, RegistryError } from "@cortex/model-db";

import type { ModelsFolder } from "./models-folder.ts";

/**
 * The first folder that can be written and has room: where new files go.
 *
 * @param neededBytes what is to be put there.
 * @throws RegistryError `read_only` where none can be written, `disk_full` where none has room.
 */
export async function chooseFolder(
  folders: readonly ModelsFolder[],
  neededBytes: number,
): Promise<ModelsFolder> {
  const writable = folders.filter(({ isWritable }) => isWritable);
  if (writable.length === 0) {
    const names = folders.map(({ path }) => path).join(", ");
    throw new RegistryError(
      "read_only",
      `No models folder can be written: ${names}. Name one that can be in CORTEX_MODELS, or give yourself the right to write.`,
    );
  }
  const rooms: string[] = [];
  for (const folder of writable) {
    const free = await freeBytes(folder.path);
    if (free >= neededBytes) return folder;
    // What is missing too: rounded, both can be the same.
    rooms.push(`${folder.path} has ${formatSize(free)} free, ${formatSize(neededBytes - free)} too little`);
  }
  throw new RegistryError(
    "disk_full",
    `${formatSize(neededBytes)} are needed, and ${rooms.join("; ")}. Free some space, or name another folder in CORTEX_MODELS.`,
  );
}

/** How many bytes this user can still write below a path, which need not be there yet. */
export async function freeBytes(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === path) throw error;
    return freeBytes(parent);
  }
}
