import { RegistryError, type ErrorCode } from "../errors.ts";

const SYSTEM: Readonly<Record<string, readonly [code: ErrorCode, says: string]>> = {
  ENOSPC: ["disk_full", "the disk is full. Free some space and try again."],
  EDQUOT: ["disk_full", "your share of the disk is used up. Free some space and try again."],
  EROFS: ["read_only", "its file system is read-only. Choose another folder."],
  EACCES: ["read_only", "it cannot be written or read: check its rights and those of its folder."],
  EPERM: ["read_only", "it cannot be written or read: check its rights and those of its folder."],
  ENOENT: ["not_found", "it is not there."],
  EISDIR: ["invalid_input", "a folder is in its place."],
  ENOTDIR: ["invalid_input", "a part of its path is no folder."],
  EEXIST: ["invalid_input", "a file is in its place."],
  EIO: ["io_error", "the disk failed to read or write it. Check the disk."],
};

/** Does something with a file or folder; what the system refuses is thrown in the registry's words. */
export function withFileErrors<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toFileError(error, path);
  }
}

/** What the system says of a file or folder, in the registry's words. Anything else comes back as it is. */
export function toFileError(error: unknown, path: string): unknown {
  const { code = "" } = error as NodeJS.ErrnoException;
  if (!Object.hasOwn(SYSTEM, code)) return error;
  const [name, says] = SYSTEM[code]!;
  return new RegistryError(name, `${path}: ${says}`, { cause: error });
}
