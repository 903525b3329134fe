import { statSync } from "node:fs";

import { copyDurably, takeOverRights, type Fingerprint } from "@cortex/model-db/durable-files";

/** Copies a file to a new one, through to the disk, with its owner and its permissions. @returns what was read. */
export function copyWithRights(from: string, to: string): Fingerprint {
  const read = copyDurably(from, to);
  takeOverRights(to, statSync(from));
  return read;
}
