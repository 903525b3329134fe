/**
 * The command was not said right: exit code 2. The message is for people; `written` and `among`, where
 * given, are the wrong word and the words that could have been meant.
 */
export class MisuseError extends Error {
  override readonly name = "MisuseError";
  readonly written: string | undefined;
  readonly among: readonly string[];

  constructor(message: string, meant?: { written: string; among: readonly string[] }) {
    super(message);
    this.written = meant?.written;
    this.among = meant?.among ?? [];
  }
}

/** A person pressed Ctrl-C: exit code 130, which is 128 and the number of SIGINT. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** A person was asked and said no: exit code 1. */
export class Declined extends Error {
  override readonly name = "Declined";
}
