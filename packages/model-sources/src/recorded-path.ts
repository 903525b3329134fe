import { dirname, isAbsolute, relative, resolve } from "node:path";

/**
 * Where a recorded file is: a relative path begins at the registry's folder.
 *
 * @param location of the registry's file.
 * @returns an absolute path.
 */
export function recordedPath(location: string, path: string): string {
  return resolve(dirname(location), path);
}

/** A path as it is written where relative ones begin at a folder: relative where it lies below that, with `/`. */
export function seenFrom(folder: string, path: string): string {
  const from = relative(resolve(folder), path);
  return from.startsWith("..") || isAbsolute(from) ? path : from.replaceAll("\\", "/");
}
