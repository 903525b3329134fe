import { setTimeout as sleep } from "node:timers/promises";

import pino, { type DestinationStream, type Logger } from "pino";

import type { Settings } from "./settings.ts";

/** The log, and a way to have all of it written before the process ends. */
export interface Log {
  readonly logger: Logger;
  end(): Promise<void>;
}

const END_MS = 1000;
// A line for each request, each written by itself, would cost as much as the answer.
const WRITE_BYTES = 8192;
const WRITE_EVERY_MS = 100;

/** Opens the log on stdout: JSON, one object a line; for a person at a terminal, a line of text. */
export function openLog(level: Settings["logLevel"]): Log {
  const stdout = pino.destination({
    dest: 1,
    sync: false,
    minLength: WRITE_BYTES,
    periodicFlush: WRITE_EVERY_MS,
  });
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
      timestamp,
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

let lastMs = 0;
let lastTimestamp = "";

// Many lines are of the same millisecond.
function timestamp(): string {
  const now = Date.now();
  if (now !== lastMs) {
    lastMs = now;
    lastTimestamp = `,"time":"${new Date(now).toISOString()}"`;
  }
  return lastTimestamp;
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
