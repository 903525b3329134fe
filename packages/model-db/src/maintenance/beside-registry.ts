import { resolve } from "node:path";

/** The path of the note about a registry's continuous backup: see `sidecar.ts`. */
export function backupNotePath(location: string): string {
  return `${resolve(location)}.backup.json`;
}

/** The path of the marker of a registry's repair: see `repair-marker.ts`. */
export function repairMarkerPath(location: string): string {
  return `${resolve(location)}.repair.json`;
}
