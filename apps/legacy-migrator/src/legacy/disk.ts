import { statSync, type Stats } from "node:fs";
import { dirname } from "node:path";

const MAX_FOLDERS = 10_000;

/**
 * Looks at files, and remembers which folders are not there: of a million models whose folder is gone,
 * each would otherwise ask the file system several times.
 */
export class Disk {
  readonly #folders = new Map<string, boolean>();

  /** The facts of a regular file; `undefined` where there is none that can be seen. */
  fileAt(path: string): Stats | undefined {
    if (!this.hasFolder(dirname(path))) return undefined;
    const stats = look(path);
    return stats?.isFile() ? stats : undefined;
  }

  isFile(path: string): boolean {
    return this.fileAt(path) !== undefined;
  }

  hasFolder(path: string): boolean {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    if (this.#folders.size >= MAX_FOLDERS) this.#folders.clear();
    const parent = dirname(path);
    const there = (parent === path || this.hasFolder(parent)) && (look(path)?.isDirectory() ?? false);
    this.#folders.set(path, there);
    return there;
  }
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // Not allowed, too long, a link to itself, no path at all: not there for our purposes.
    return undefined;
  }
}
