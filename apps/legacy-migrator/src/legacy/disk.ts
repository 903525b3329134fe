import { statSync, type Stats } from "node:fs";
import { dirname, sep } from "node:path";

const MAX_FOLDERS = 10_000;
const MAX_MISSING = 4;

/**
 * Looks at files, and remembers which folders are not there: of a million models whose folder is gone,
 * each would otherwise ask the file system several times.
 */
export class Disk {
  readonly #folders = new Map<string, boolean>();
  /** The folders that were found missing last, each with a separator behind it: all below is, too. */
  #missing: string[] = [];

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
    for (const missing of this.#missing) if (path.startsWith(missing)) return false;
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const parent = dirname(path);
    if (parent !== path && !this.hasFolder(parent)) return false;
    const there = look(path)?.isDirectory() ?? false;
    if (this.#folders.size >= MAX_FOLDERS) this.#folders.clear();
    this.#folders.set(path, there);
    if (!there) this.#missing = [path + sep, ...this.#missing.slice(0, MAX_MISSING - 1)];
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
