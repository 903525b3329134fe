import { join } from "node:path";

import { isIntactSnapshot, listSnapshots, readChangeLog } from "@cortex/model-db";

import { BACKUP_FOLDER } from "../fixtures.ts";
import type { Judge } from "./explore.ts";
import { registryJudge } from "./judge-registry.ts";

/** Judges a registry, and how far its backup goes: the newest snapshot, and the log without a gap from there. */
export function backupJudge(positions: ReadonlyMap<string, number>): Judge {
  const judgeRegistry = registryJudge(positions);
  return async (folder) => {
    const verdict = await judgeRegistry(folder);
    if ("problem" in verdict) return verdict;
    const backup = join(folder, BACKUP_FOLDER);
    const snapshots = listSnapshots(backup);
    const broken = snapshots.find((snapshot) => !isIntactSnapshot(snapshot));
    if (broken !== undefined) return { problem: `${broken.path} is not what was written` };
    const snapshot = snapshots[0]?.eventId ?? 0;
    let log = snapshot;
    for await (const { eventId } of readChangeLog(backup, { after: snapshot })) {
      if (eventId !== log + 1) break;
      log = eventId;
    }
    return { held: { ...verdict.held, snapshot, log } };
  };
}
