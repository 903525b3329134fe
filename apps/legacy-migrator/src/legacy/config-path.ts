import { isAbsolute, join, resolve } from "node:path";

import type { Disk } from "./disk.ts";

/** A path of the old store, as one that can be opened from anywhere. */
export interface ResolvedPath {
  readonly path: string;
  readonly exists: boolean;
  /** It named a place that is gone; the file was found at the same place in this data folder. */
  readonly moved: boolean;
}

const DRIVE = /^[A-Za-z]:[\\/]/;
const MODELS = "/models/";

/**
 * Makes a path of the old store absolute. Relative ones begin at the data folder (cortex.cpp from 1.0.0
 * on). An absolute one that is gone is looked for in the given data folder, by what follows `/models/`:
 * a folder that was moved or copied still has its models.
 */
export function resolveLegacyPath(written: string, dataFolder: string, disk: Disk): ResolvedPath {
  const slashed = DRIVE.test(written) || !written.includes("/") ? written.replaceAll("\\", "/") : written;
  if (!isAbsolute(slashed) && !DRIVE.test(slashed)) {
    const path = resolve(dataFolder, slashed);
    return { path, exists: disk.isFile(path), moved: false };
  }
  if (disk.isFile(slashed)) return { path: slashed, exists: true, moved: false };
  for (let at = slashed.indexOf(MODELS); at !== -1; at = slashed.indexOf(MODELS, at + 1)) {
    const path = join(dataFolder, "models", slashed.slice(at + MODELS.length));
    if (path !== slashed && disk.isFile(path)) return { path, exists: true, moved: true };
  }
  return { path: written, exists: false, moved: false };
}
