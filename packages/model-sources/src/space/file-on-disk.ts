import { lstat, realpath, stat } from "node:fs/promises";

/** A file as the disk has it. */
export interface FileOnDisk {
  /** Absolute, without links. */
  readonly realPath: string;
  /** The same for every name of the same bytes: hard links, and symbolic links to it. */
  readonly contentId: string;
  /** Whether the path that was looked at is a symbolic link. */
  readonly isLink: boolean;
  readonly sizeBytes: number;
  /** What it takes on the disk: less than its size where it has holes, as files that are being fetched do. */
  readonly usedBytes: number;
  /** How many names it has on its disk, hard links; what it takes is free when the last is gone. */
  readonly names: number;
  /** When it was last written to, Unix milliseconds. */
  readonly writtenAt: number;
}

const BLOCK_BYTES = 512;
const UNSEEN: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EACCES", "EPERM"]);

/**
 * Looks at a file on the disk; links are followed.
 *
 * @returns `undefined` where there is no regular file, or none that this user can see.
 */
export async function fileOnDisk(path: string): Promise<FileOnDisk | undefined> {
  try {
    const [own, stats] = await Promise.all([lstat(path), stat(path, { bigint: true })]);
    if (!stats.isFile()) return undefined;
    const sizeBytes = Number(stats.size);
    return {
      realPath: await realpath(path),
      contentId: `${stats.dev}:${stats.ino}`,
      isLink: own.isSymbolicLink(),
      sizeBytes,
      usedBytes: Math.min(sizeBytes, Number(stats.blocks) * BLOCK_BYTES),
      names: Number(stats.nlink),
      writtenAt: Number(stats.mtimeMs),
    };
  } catch (error) {
    if (UNSEEN.has((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}
