import { existsSync } from "node:fs";
import { join } from "node:path";

import { openRegistry } from "@cortex/model-db";

import { REGISTRY_FILE } from "../fixtures.ts";
import { readContent } from "../registry-content.ts";
import type { Judge } from "./explore.ts";

const GOES_ON_EVERY = 10;

/**
 * Opens a registry with the library to write, as the next program would, and finds which of the
 * acknowledged states it holds: exactly one of them, whole.
 *
 * @param positions the states by digest.
 */
export function registryJudge(positions: ReadonlyMap<string, number>): Judge {
  let judged = 0;
  return async (folder) => {
    const location = join(folder, REGISTRY_FILE);
    try {
      // A file without a row is one that nothing was acknowledged of: the next program makes it anew.
      const mode = existsSync(location) ? "write" : "create";
      const first = await openRegistry(location, { mode, migrate: false });
      const { version, latest } = await first.schema();
      await first.close();
      const { digest, problems } = readContent(location);
      if (problems.length > 0) return { problem: problems.join("; ") };
      const position = positions.get(digest);
      if (position === undefined) return { problem: "it holds something that was never a whole change" };
      // A schema that was left half-way up goes on from there: tried for some, since it takes long.
      if (version < latest && judged++ % GOES_ON_EVERY === 0) await (await openRegistry(location)).close();
      return { held: { registry: position } };
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  };
}
