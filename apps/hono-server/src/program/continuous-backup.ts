import { setTimeout as sleep } from "node:timers/promises";

import { followBackup, lastLoggedEventId, listSnapshots, toVisible } from "@cortex/model-db";
import type { Logger } from "pino";

const RETRY_MS = 30_000;
const FLUSH_LOOK_MS = 25;

/** A backup that is kept while the server runs. */
export interface ContinuousBackup {
  /**
   * Waits until the backup has a change, and ends it.
   *
   * @param graceMs how long to wait, in milliseconds; what is missing then, the next run catches up with.
   * @returns whether the backup has it.
   */
  end(eventId: number, graceMs: number): Promise<boolean>;
}

/**
 * Begins to keep a backup. What keeps it from beginning is thrown; what interrupts it later is logged,
 * and it is tried again: the registry stays in service meanwhile.
 *
 * @throws RegistryError as `followBackup`.
 */
export async function keepBackup(location: string, folder: string, log: Logger): Promise<ContinuousBackup> {
  const ending = new AbortController();
  const { signal } = ending;
  const begun = Promise.withResolvers<void>();
  let hasBegun = false;
  const follow = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await followBackup(location, folder, {
          signal,
          onFollowing: () => {
            hasBegun = true;
            begun.resolve();
          },
          onSnapshot: ({ path, eventId }) =>
            log.info({ path, event_id: eventId }, "The backup has a new snapshot."),
        });
      } catch (error) {
        if (!hasBegun) return begun.reject(error);
        log.error(`The backup stands still and is tried again. ${toVisible((error as Error).message)}`);
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  };
  const following = follow();
  await begun.promise;
  return {
    async end(eventId, graceMs) {
      const deadline = Date.now() + graceMs;
      while (newestIn(folder) < eventId && Date.now() < deadline) await sleep(FLUSH_LOOK_MS);
      ending.abort();
      await following;
      return newestIn(folder) >= eventId;
    },
  };
}

function newestIn(folder: string): number {
  return Math.max(lastLoggedEventId(folder) ?? 0, listSnapshots(folder)[0]?.eventId ?? 0);
}
