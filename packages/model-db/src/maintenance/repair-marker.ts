import { readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { repairMarkerPath } from "./beside-registry.ts";
import { replaceDurably } from "./durable-files.ts";

const FORMAT = 1;

/**
 * A repair under way. It stands beside the registry from before its files are moved away until another
 * file is in their place, so that nobody makes a new registry in between.
 */
export interface RepairMarker {
  /** Absolute: the folder that the files go to. */
  readonly setAside: string;
  /** Unix milliseconds. */
  readonly startedAt: number;
  /** The names of the files that are to be moved. */
  readonly files: readonly string[];
  /** Absolute: the backup folder that is used; `null` without one. */
  readonly from: string | null;
  /** Whether the damaged files are read; a restore goes by the backup alone. */
  readonly usesFile: boolean;
}

/** The repair that is under way; `undefined` where none is. */
export function readRepairMarker(location: string): RepairMarker | undefined {
  let text: string;
  try {
    text = readFileSync(repairMarkerPath(location), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const note = JSON.parse(text) as {
    set_aside: string;
    started_at: number;
    files: string[];
    from: string | null;
    uses_file: boolean;
  };
  const { set_aside: setAside, started_at: startedAt, uses_file: usesFile, files, from } = note;
  return { setAside, startedAt, files, from, usesFile };
}

/** Notes a repair, through to the disk. */
export function writeRepairMarker(location: string, marker: RepairMarker): void {
  const { setAside, startedAt, files, from, usesFile } = marker;
  const note = {
    format: FORMAT,
    set_aside: setAside,
    started_at: startedAt,
    files,
    from,
    uses_file: usesFile,
  };
  replaceDurably(repairMarkerPath(location), `${JSON.stringify(note)}\n`);
}

/** Says that the repair is done; with what a process left that was killed while it wrote the marker. */
export function removeRepairMarker(location: string): void {
  const path = repairMarkerPath(location);
  for (const name of readdirSync(dirname(path))) {
    if (name.startsWith(`${basename(path)}.`) && name.endsWith(".partial"))
      rmSync(join(dirname(path), name), { force: true });
  }
  rmSync(path, { force: true });
}
