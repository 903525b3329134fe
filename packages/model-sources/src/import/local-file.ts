import { constants, type BigIntStats } from "node:fs";
import { lstat, open, readlink, realpath, stat, type FileHandle } from "node:fs/promises";
import { dirname, sep } from "node:path";

import { isRegistryError, RegistryError, toVisible } from "@cortex/model-db";

import type { ByteSource } from "../facts/byte-source.ts";

/** What tells one state of a file from another, without reading it. */
export interface FileStamp {
  readonly sizeBytes: number;
  /** Unix milliseconds. */
  readonly modifiedAt: number;
  /** Which file it is, whatever it is called: by device and number. */
  readonly identity: string;
}

/** The stamp of a file as the system describes it. */
export function stampOf({ size, mtimeMs, dev, ino }: BigIntStats): FileStamp {
  return { sizeBytes: Number(size), modifiedAt: Number(mtimeMs), identity: `${dev}:${ino}` };
}

export function isSameFile(one: FileStamp, other: FileStamp): boolean {
  return (
    one.identity === other.identity &&
    one.modifiedAt === other.modifiedAt &&
    one.sizeBytes === other.sizeBytes
  );
}

/** A file of this machine that is to become part of a model, held open. */
export class LocalFile implements ByteSource, AsyncDisposable {
  /** The path as it was asked for. */
  readonly name: string;
  readonly stamp: FileStamp;
  readonly chunkBytes: number = 65_536;
  readonly #handle: FileHandle;
  readonly #stats: BigIntStats;

  private constructor(path: string, handle: FileHandle, stats: BigIntStats) {
    this.name = path;
    this.#handle = handle;
    this.#stats = stats;
    this.stamp = stampOf(stats);
  }

  /**
   * Opens a file.
   *
   * @param path absolute.
   * @param within folders outside of which nothing may be opened, whatever links say; left out, any file may be.
   * @throws RegistryError `not_found`, `permission_denied`, `invalid_input` for what is no file, `io_error`.
   */
  static async open(path: string, within?: readonly string[]): Promise<LocalFile> {
    if (within !== undefined) await checkWithin(path, within);
    // A pipe would be waited for until somebody writes.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
      throw asRegistryError(path, error);
    });
    try {
      const stats = await handle.stat({ bigint: true });
      if (within !== undefined && !(await liesWithin(path, handle, stats, within))) {
        throw outside(path, within);
      }
      if (!stats.isFile()) {
        throw new RegistryError(
          "invalid_input",
          `${toVisible(path)} is no file. Name files, or folders with files.`,
        );
      }
      return new LocalFile(path, handle, stats);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get sizeBytes(): number {
    return this.stamp.sizeBytes;
  }

  /** The open file itself, for whoever reads all of it. It is closed with this. */
  get handle(): FileHandle {
    return this.#handle;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.sizeBytes - offset)));
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await this.#handle.read(bytes, filled, bytes.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  }

  /**
   * Insists that the file is as it was when it was opened, and that its path still means it.
   *
   * @throws RegistryError `io_error`.
   */
  async checkUnchanged(): Promise<void> {
    const now = await this.#handle.stat({ bigint: true });
    const there = await stat(this.name, { bigint: true }).catch(() => undefined);
    const isSame =
      now.size === this.#stats.size &&
      now.mtimeNs === this.#stats.mtimeNs &&
      there?.ino === now.ino &&
      there.dev === now.dev;
    if (isSame) return;
    throw new RegistryError(
      "io_error",
      `${toVisible(this.name)} changed while it was read. Wait until whatever writes it is done, and import it again.`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/** Judges what is open and not what its path means by now: a link can be turned at any time. */
async function liesWithin(
  path: string,
  handle: FileHandle,
  stats: BigIntStats,
  within: readonly string[],
): Promise<boolean> {
  // Linux knows the path of what is open.
  const opened = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => undefined);
  if (opened !== undefined) return isInOneOf(opened, within);
  try {
    const real = await realpath(path);
    // What has become a link since is not followed.
    const there = await lstat(real, { bigint: true });
    return there.dev === stats.dev && there.ino === stats.ino && (await isInOneOf(real, within));
  } catch {
    return false;
  }
}

/**
 * Refuses a path that leads out of some folders, whatever links on its way say; also one that leads to nothing, so
 * that nobody learns what there is elsewhere.
 *
 * @throws RegistryError `permission_denied`.
 */
export async function checkWithin(path: string, within: readonly string[]): Promise<void> {
  for (let place = path; ; place = dirname(place)) {
    const real = await realpath(place).catch(() => undefined);
    if (real === undefined && dirname(place) !== place) continue;
    if (real !== undefined && (await isInOneOf(real, within))) return;
    throw outside(path, within);
  }
}

function outside(path: string, within: readonly string[]): RegistryError {
  const allowed = within.length === 0 ? "there is none" : within.map(toVisible).join(", ");
  return new RegistryError(
    "permission_denied",
    `${toVisible(path)} does not lie in a folder that models may be imported from: ${allowed}.`,
  );
}

async function isInOneOf(real: string, folders: readonly string[]): Promise<boolean> {
  for (const folder of folders) {
    const root = await realpath(folder).catch(() => undefined);
    if (root === undefined) continue;
    if (real === root || real.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) return true;
  }
  return false;
}

/** What the system says of a path, for people. */
export function asRegistryError(path: string, error: unknown): RegistryError {
  if (isRegistryError(error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const shown = toVisible(path);
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      // What is no UTF-8 in a name is lost when the name is read.
      if (path.includes("\ufffd")) {
        return new RegistryError(
          "invalid_input",
          `${shown} has a name that is no text in UTF-8, and cannot be opened. Rename it.`,
          { cause: error },
        );
      }
      return new RegistryError("not_found", `There is no file ${shown}.`, { cause: error });
    case "EACCES":
    case "EPERM":
      return new RegistryError("permission_denied", `${shown} cannot be read: you have no right to.`, {
        cause: error,
      });
    case "ELOOP":
      return new RegistryError("invalid_input", `${shown} is a link that leads to itself.`, { cause: error });
    default:
      return new RegistryError("io_error", `${shown} cannot be read: ${toVisible(message)}`, {
        cause: error,
      });
  }
}
