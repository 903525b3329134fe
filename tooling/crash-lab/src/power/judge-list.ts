import { hash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Judge } from "./explore.ts";

export const LIST_FILE = "model.list";

/** Finds which of the acknowledged lists a text file holds. */
export function listJudge(positions: ReadonlyMap<string, number>): Judge {
  return async (folder) => {
    const path = join(folder, LIST_FILE);
    if (!existsSync(path)) return { held: {} };
    const position = positions.get(hash("sha1", readFileSync(path, "utf8"), "hex"));
    return position === undefined ? { problem: "it is torn" } : { held: { list: position } };
  };
}
