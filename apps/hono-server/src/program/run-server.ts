import { existsSync } from "node:fs";
import { dirname } from "node:path";

import { RegistryError, toVisible } from "@cortex/model-db";
import type { Logger } from "pino";

import { keepBackup } from "./continuous-backup.ts";
import { checkExposure } from "./exposure.ts";
import { listen, type Listener } from "./listen.ts";
import { LiveApp } from "./live-app.ts";
import type { ReadSettings } from "./read-settings.ts";
import { reload, type Running } from "./reload.ts";
import { onSignals } from "./signals.ts";

const GRACE_MS = 10_000;
const FLUSH_MS = 5000;

/**
 * Serves until it is told to end.
 *
 * @param started what was read when the program started.
 * @param read reads the settings anew, when it is told to.
 * @throws RegistryError for what keeps it from starting, or when the registry is gone for good.
 */
export async function runServer(started: ReadSettings, read: () => ReadSettings, log: Logger): Promise<void> {
  const { settings } = started;
  checkFolder(started);
  const ending = Promise.withResolvers<void>();
  let running: Running | undefined;
  let inUse = Promise.resolve(settings);
  onSignals({
    reload() {
      const now = running;
      // One after the other: each goes on from what the one before has left.
      if (now !== undefined) inUse = inUse.then((before) => reload(before, read, now));
    },
    end(signal) {
      log.info(`Ending, by ${signal}; a second one ends at once.`);
      ending.resolve();
    },
  });
  const app = await LiveApp.open(settings, log, (error) => ending.reject(error));
  const listeners: Listener[] = [];
  try {
    await checkExposure(settings, app.registry);
    const backup =
      settings.backup === undefined ? undefined : await keepBackup(settings.db, settings.backup, log);
    for (const place of placesOf(started)) {
      listeners.push(await listen(place, settings, app));
    }
    running = { app, listeners, log };
    for (const { address } of listeners) {
      log.info({ address, registry: settings.db, pid: process.pid }, `Listening on ${toVisible(address)}`);
    }
    await ending.promise;
    app.endStreams();
    await closeAll(listeners.splice(0), log);
    const isSafe = await backup?.end(await app.registry.history.latestEventId(), FLUSH_MS);
    if (isSafe === false) log.warn("The backup lacks the last changes; the next start brings them there.");
  } finally {
    await closeAll(listeners, log);
    await app.close();
  }
  log.info("Ended.");
}

// The usual place is made where it is missing; one that somebody named may be a disk that is not there.
function checkFolder({ settings: { db }, given }: ReadSettings): void {
  const folder = dirname(db);
  if (!given.has("db") || existsSync(folder)) return;
  throw new RegistryError(
    "not_found",
    `There is no folder ${folder} for the registry: make it, or name another registry with --db.`,
  );
}

function placesOf({ settings, given }: ReadSettings): Parameters<typeof listen>[0][] {
  const { host, port, socket } = settings;
  if (socket === undefined) return [{ host, port }];
  const alsoPort = given.has("host") || given.has("port");
  return [{ path: socket }, ...(alsoPort ? [{ host, port }] : [])];
}

async function closeAll(listeners: readonly Listener[], log: Logger): Promise<void> {
  const counts = await Promise.all(listeners.map((listener) => listener.close(GRACE_MS)));
  const cut = counts.reduce((sum, count) => sum + count, 0);
  if (cut > 0)
    log.warn(`${cut} connections were cut: they had not finished after ${GRACE_MS / 1000} seconds.`);
}
