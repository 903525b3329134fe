import { writeSync } from "node:fs";

import { isTerminal } from "./stream.ts";

/** A line that counts, on a terminal; silent elsewhere. */
export interface Progress {
  /** Says how many are done, or how much; drawn ten times a second at most. */
  update(done: number | string): void;
  /** Takes the line away. */
  end(): void;
}

const INTERVAL_MS = 100;

/** Counts `what` on standard error while something long is under way. */
export function startProgress(what: string, quiet: boolean | undefined): Progress {
  if (quiet === true || !isTerminal(2)) return { update() {}, end() {} };
  let drawnAt = Date.now();
  let drawn = false;
  return {
    update(done): void {
      const now = Date.now();
      if (now - drawnAt < INTERVAL_MS) return;
      drawnAt = now;
      drawn = true;
      writeSync(2, `\r${done.toLocaleString("en")} ${what}\u001b[K`);
    },
    end(): void {
      if (drawn) writeSync(2, "\r\u001b[K");
    },
  };
}
