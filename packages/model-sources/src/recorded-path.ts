import { dirname, resolve } from "node:path";

/**
 * Where a recorded file is: a relative path begins at the registry's folder.
 *
 * @param location of the registry's file.
 * @returns an absolute path.
 */
export function recordedPath(location: string, path: string): string {
  return resolve(dirname(location), path);
}
