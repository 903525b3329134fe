import type { HeldFile } from "./inventory.ts";

/**
 * Why a file is not for us to delete; `undefined` where it is. Ours is what we have written: its record says where
 * its content came from, and it lies in a models folder. What was registered where it lay is somebody else's, and
 * so is what has taken the place of a file of ours.
 *
 * @returns the end of a sentence that begins with the file's path.
 */
export function whyNotOurs({ file, onDisk, folder }: HeldFile): string | undefined {
  if (file.source === null) return "was not written by cortex";
  if (onDisk === undefined) return "is not there";
  if (folder === undefined) return "lies in no models folder";
  if (!folder.isWritable) return "lies in a models folder that is read-only";
  if (onDisk.isLink) return "is a link, where cortex had written a file";
  if (file.sizeBytes !== null && file.sizeBytes !== onDisk.sizeBytes)
    return `has ${onDisk.sizeBytes} bytes, and cortex had written ${file.sizeBytes}`;
  return undefined;
}
