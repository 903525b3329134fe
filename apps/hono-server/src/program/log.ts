import { setTimeout as sleep } from "node:timers/promises";

import pino, { type DestinationStream, type Logger } from "pino";

import type { Settings } from "./settings.ts";

/** The log, and a way to have all of it written before the process ends. */
export interface Log {
  readonly logger: Logger;
  end(): Promise<void>;
}

const END_MS = 1000;

/** Opens the log on stdout: JSON, one object a line; for a person at a terminal, a line of text. */
export function openLog(level: Settings["logLevel"]): Log {
  const stdout = pino.destination({ dest: 1, sync: false });
  // Whoever read the log has left; what is served is served all the same. Its last lines would be tried
  // again and again, for ever.
  const giveUp = (): void => {
    stdout.write = () => true;
    stdout.flushSync = () => undefined;
  };
  stdout.on("error", giveUp);
  const destination: DestinationStream = process.stdout.isTTY
    ? { write: (line) => void stdout.write(toText(line)) }
    : stdout;
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return {
    logger,
    async end() {
      const { promise, resolve } = Promise.withResolvers<void>();
      stdout.once("error", () => resolve()).once("close", () => resolve());
      stdout.end();
      await Promise.race([promise, sleep(END_MS)]);
      giveUp();
    },
  };
}

function toText(line: string): string {
  const { time, level, msg, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const fields = Object.entries(rest).map(([name, value]) =>
    typeof value === "string" && /^[^\s"=]+$/.test(value)
      ? `${name}=${value}`
      : `${name}=${JSON.stringify(value)}`,
  );
  const clock = String(time).slice(11, 19);
  return `${[clock, String(level).padEnd(5), msg, ...fields].join(" ")}\n`;
}
