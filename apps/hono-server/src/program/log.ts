import { setTimeout as sleep } from "node:timers/promises";

import pino, { type DestinationStream, type Logger } from "pino";

import type { ServiceLog } from "../request-log.ts";
import type { Settings } from "./settings.ts";

/** The log, and a way to have all of it written before the process ends. */
export interface Log {
  readonly logger: Logger & Required<Pick<ServiceLog, "answered">>;
  end(): Promise<void>;
}

const END_MS = 1000;
// A line for each request, each written by itself, would cost as much as the answer.
const WRITE_LENGTH = 65_536;
const WRITE_EVERY_MS = 100;
// Whoever reads it has stopped: what comes then is dropped, before it fills the memory.
const MAX_LENGTH = 16 * 1024 * 1024;

/** Opens the log on stdout: JSON, one object a line; for a person at a terminal, a line of text. */
export function openLog(level: Settings["logLevel"]): Log {
  const stdout = pino.destination({ dest: 1, sync: false, maxLength: MAX_LENGTH });
  // Whoever read the log has left; what is served is served all the same. Its last lines would be tried
  // again and again, for ever.
  const giveUp = (): void => {
    stdout.write = () => true;
    stdout.flushSync = () => undefined;
  };
  stdout.on("error", giveUp);
  let pending = "";
  const write = (): void => {
    if (pending !== "") stdout.write(pending);
    pending = "";
  };
  const writing = setInterval(write, WRITE_EVERY_MS).unref();
  const toLine = process.stdout.isTTY ? toText : (line: string): string => line;
  const destination: DestinationStream = {
    write(line) {
      pending += toLine(line);
      if (pending.length >= WRITE_LENGTH) write();
    },
  };
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
    logger: Object.assign(logger, {
      answered(fields: string) {
        if (logger.isLevelEnabled("info")) {
          destination.write(`{"level":"info"${timestamp()},${fields},"msg":"Answered"}\n`);
        }
      },
    }),
    async end() {
      const { promise, resolve } = Promise.withResolvers<void>();
      stdout.once("error", () => resolve()).once("close", () => resolve());
      clearInterval(writing);
      write();
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
