import { stat } from "node:fs/promises";
import { dirname } from "node:path";

/** The file system that a folder is on or, where it is not there yet, will be on. */
export async function deviceOf(path: string): Promise<bigint> {
  try {
    return (await stat(path, { bigint: true })).dev;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
    return deviceOf(dirname(path));
  }
}
