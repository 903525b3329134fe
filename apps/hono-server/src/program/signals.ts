import { constants } from "node:os";
import { isatty } from "node:tty";

/** What to do when the process is told something. */
export interface SignalHandlers {
  /** SIGHUP. */
  readonly reload: () => void;
  /** SIGTERM or SIGINT, for the first time; the second ends the process at once. */
  readonly end: (signal: NodeJS.Signals) => void;
}

/** Listens to signals from now on. A terminal that is closed ends the program, too. */
export function onSignals({ reload, end }: SignalHandlers): void {
  const hadTerminal = isatty(1);
  let isEnding = false;
  const endOnce = (signal: NodeJS.Signals): void => {
    if (isEnding) process.exit(128 + constants.signals[signal]);
    isEnding = true;
    end(signal);
  };
  process.on("SIGTERM", endOnce).on("SIGINT", endOnce);
  process.on("SIGHUP", (signal) => {
    // The same signal says that the terminal is gone: then it is no terminal any more.
    if (hadTerminal && !isatty(1)) endOnce(signal);
    else if (!isEnding) reload();
  });
}
