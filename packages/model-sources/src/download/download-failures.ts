import { RegistryError } from "@cortex/model-db";

import { shown } from "../hub/http-client.ts";

/** That a server's file is not the one any more that was looked up. */
export class FileChanged extends RegistryError {
  constructor(url: string, how: string) {
    super(
      "checksum_mismatch",
      `${shown(new URL(url))} changed since it was looked up (${how}). What had arrived was dropped. Pull again to get it as it is now.`,
    );
  }
}

/** That bytes arrived which are not those of the file. */
export function wrongBytes(url: string, expected: string, actual: string): RegistryError {
  return new RegistryError(
    "checksum_mismatch",
    `${shown(new URL(url))} did not arrive as it should be: its hash is ${actual}, and should be ${expected}. What had arrived was dropped. Pull again.`,
  );
}

/** That another file has the place. */
export function nameTaken(place: string): RegistryError {
  return new RegistryError("name_taken", `${place} is another file. Move it away, and pull again.`);
}

/** What the system says when a file cannot be written. */
export function notWritten(place: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new RegistryError("disk_full", `${place} cannot be written: the disk is full. Free some space.`, {
      cause: error,
    });
  }
  if (code === "EROFS" || code === "EACCES" || code === "EPERM") {
    return new RegistryError(
      "permission_denied",
      `${place} cannot be written (${code}). Give yourself the right to, or choose another folder.`,
      { cause: error },
    );
  }
  return error;
}
