import { toVisible } from "@cortex/model-db";
import type { Logger } from "pino";

import { checkExposure } from "./exposure.ts";
import type { Listener } from "./listen.ts";
import type { LiveApp } from "./live-app.ts";
import type { ReadSettings } from "./read-settings.ts";
import { keyOf } from "./setting-names.ts";
import { SETTINGS, type Settings } from "./settings.ts";

/** What takes new settings. */
export interface Running {
  readonly app: LiveApp;
  readonly listeners: readonly Listener[];
  readonly log: Logger;
}

/**
 * Reads the settings anew and uses those that need no restart; the log says which those are, and which
 * need one. What is wrong, or would keep the program from starting, is logged, and everything stays as it was.
 *
 * @returns the settings in use afterwards.
 */
export async function reload(
  before: Settings,
  read: () => ReadSettings,
  { app, listeners, log }: Running,
): Promise<Settings> {
  try {
    const { settings: wanted } = read();
    const changed = (Object.keys(SETTINGS) as (keyof Settings)[]).filter(
      (name) => JSON.stringify(before[name]) !== JSON.stringify(wanted[name]),
    );
    const isNow = (name: keyof Settings): boolean =>
      SETTINGS[name].isReloaded === true &&
      // HTTP does not become HTTPS on an open port.
      (!name.startsWith("tls") || (before[name] !== undefined && wanted[name] !== undefined));
    const now = changed.filter(isNow);
    const later = changed.filter((name) => !isNow(name));
    const after = { ...before, ...Object.fromEntries(now.map((name) => [name, wanted[name]])) };
    // First what can fail.
    await checkExposure(after, app.registry);
    for (const listener of listeners) listener.renewCertificate(after);
    app.apply(after);
    log.level = after.logLevel;
    log.info({ changed: now.map(keyOf) }, "The settings were read anew.");
    if (later.length > 0) log.warn({ settings: later.map(keyOf) }, "These settings need a restart.");
    return after;
  } catch (error) {
    log.error(`The settings stay as they were. ${toVisible((error as Error).message)}`);
    return before;
  }
}
