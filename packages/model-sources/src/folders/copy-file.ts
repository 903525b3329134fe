import { constants } from "node:fs";
import { open, rm, type FileHandle } from "node:fs/promises";

import { RegistryError, toVisible } from "@cortex/model-db";

import { hashFile, type HashOptions } from "../verify/hash-file.ts";

/**
 * Copies an open file to a new one, through to the disk, and compares both what was read and what is there then with
 * what it should be. Where that fails nothing is left of it.
 *
 * @param from read from its beginning; it stays open.
 * @param to a name that is not taken.
 * @param sha256 of what is copied.
 * @throws RegistryError `checksum_mismatch`, `disk_full`; what the system says; what the signal was aborted with.
 */
export async function copyFile(
  from: FileHandle,
  to: string,
  sha256: string,
  { signal, onBytes }: HashOptions = {},
): Promise<void> {
  const target = await open(
    to,
    constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
  );
  try {
    try {
      const onChunk = async (chunk: Buffer): Promise<void> => writeAll(target, chunk);
      const read = await hashFile(from, { signal, onBytes, onChunk });
      if (read.sha256 !== sha256) {
        throw new RegistryError(
          "checksum_mismatch",
          `What was to be copied to ${toVisible(to)} is not what it was a moment ago. Wait until nobody writes it, and try again.`,
        );
      }
      await target.sync();
      const written = await hashFile(target, { signal });
      if (written.sha256 !== sha256) {
        throw new RegistryError(
          "checksum_mismatch",
          `What was copied to ${toVisible(to)} is not what was read. Check that disk.`,
        );
      }
    } finally {
      await target.close();
    }
  } catch (error) {
    await rm(to, { force: true });
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    throw new RegistryError("disk_full", `There is no room for ${toVisible(to)}. Free some space.`, {
      cause: error,
    });
  }
}

async function writeAll(file: FileHandle, chunk: Buffer): Promise<void> {
  // A disk that is nearly full takes a part, and says so only the next time.
  for (let written = 0; written < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, written, chunk.length - written);
    written += bytesWritten;
  }
}
