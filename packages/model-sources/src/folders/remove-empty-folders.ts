import { realpath, rmdir } from "node:fs/promises";
import { dirname, sep } from "node:path";

/** Removes a folder that is empty, and those it lies in, up to another, which stays. */
export async function removeEmptyFolders(root: string, folder: string): Promise<void> {
  const top = await realpath(root);
  for (let at = await realpath(folder); at.startsWith(`${top}${sep}`); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      // It holds something.
      return;
    }
  }
}
