import { realpath, rmdir } from "node:fs/promises";
import { dirname, sep } from "node:path";

/** Removes a folder that is empty, and those it lies in, up to another, which stays. One that is gone already is no error. */
export async function removeEmptyFolders(root: string, folder: string): Promise<void> {
  const top = await realpath(root).catch(() => root);
  const first = await realpath(folder).catch(() => folder);
  for (let at = first; at.startsWith(`${top}${sep}`); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") return;
    }
  }
}
