import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { repairRegistry } from "@cortex/model-db";

import { readModels } from "../damage/models.ts";
import { BACKUP_FOLDER, REGISTRY_FILE } from "../fixtures.ts";
import type { Judge } from "./explore.ts";

/**
 * Repairs what a repair that was cut off has left: it must end as it would have, and find nothing left
 * to do where it was told to be done.
 *
 * @param models what is to come out, as {@link modelsDigestOf} gives it.
 */
export function repairJudge(models: string): Judge {
  return async (folder) => {
    const location = join(folder, REGISTRY_FILE);
    try {
      const report = await repairRegistry(location, { from: join(folder, BACKUP_FOLDER) });
      if (modelsDigest(location) !== models) return { problem: "other models came out than without the cut" };
      return { held: { repair: report === undefined ? 1 : 0 } };
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  };
}

/** All models of a registry's file, as one text. @param folder where it may be put for a moment. */
export function modelsDigestOf(file: Buffer, folder: string): string {
  const path = join(folder, "whole.db");
  writeFileSync(path, file);
  const digest = modelsDigest(path);
  rmSync(path);
  return digest;
}

function modelsDigest(location: string): string {
  return JSON.stringify([...readModels(location)].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
