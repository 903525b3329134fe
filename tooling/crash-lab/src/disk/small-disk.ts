import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** A file system in memory of a few megabytes. Only root can make one. */
export interface SmallDisk extends Disposable {
  readonly folder: string;
  /** Takes what room is left, to the last byte. */
  fill(): void;
  /** Gives that room back. */
  clear(): void;
  makeReadOnly(): void;
}

/** @returns `undefined` where file systems cannot be mounted. */
export function mountSmallDisk(folder: string, sizeBytes: number): SmallDisk | undefined {
  mkdirSync(folder);
  if (mount("-t", "tmpfs", "-o", `size=${sizeBytes}`, "crash-lab", folder) !== 0) {
    rmdirSync(folder);
    return undefined;
  }
  const filler = join(folder, "filler");
  return {
    folder,
    fill() {
      const file = openSync(filler, "a");
      for (const size of [65_536, 4096, 1]) {
        const bytes = Buffer.alloc(size, 1);
        while (wrote(file, bytes));
      }
      closeSync(file);
    },
    clear: () => rmSync(filler, { force: true }),
    makeReadOnly: () => void mount("-o", "remount,ro", folder),
    [Symbol.dispose]() {
      spawnSync("umount", [folder]);
      rmdirSync(folder);
    },
  };
}

function mount(...args: readonly string[]): number | null {
  return spawnSync("mount", args).status;
}

function wrote(file: number, bytes: Buffer): boolean {
  try {
    writeSync(file, bytes);
    return true;
  } catch {
    return false;
  }
}
