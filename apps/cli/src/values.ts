import { parseCount, parseDuration, parseMoment, parseSize } from "@cortex/model-db";

import { MisuseError } from "./errors.ts";

/** What a flag's value may become; `null` is a field that is to be cleared. */
export type FlagValue = string | number | null;

interface Kind {
  readonly parse: (text: string) => number | undefined;
  readonly says: string;
  /** An empty value clears the field instead of being wrong. */
  readonly clears?: boolean;
}

// By the word in a flag's brackets; every other word is a text and stays exactly as it was written.
const KINDS: Readonly<Record<string, Kind>> = {
  count: { parse: parseLimit, says: "a whole number, 1 to 1000" },
  integer: { parse: parseInteger, says: "a whole number, 0 or more" },
  positive: { parse: (text) => parseInteger(text) || undefined, says: "a whole number, 1 or more" },
  number: { parse: parseCount, says: "a whole number such as 7240000000, 7.24B or 32Ki", clears: true },
  size: { parse: parseSize, says: "a size such as 4700000000, 4.7GB or 4.4GiB", clears: true },
  time: {
    parse: (text) => parseMoment(text),
    says: "a time from 1970 to 9999 such as 2026-01-31, 2026-01-31T12:00:00Z, or 2h for two hours ago",
  },
  duration: { parse: parseTtl, says: "a duration from 1s to 30d, such as 90s, 15m or 1h30m" },
  age: { parse: parseDuration, says: "a duration such as 12h, 30d or 52w" },
};

/**
 * Reads the value of a flag as what its placeholder names (`<size>`, `<time>`, …).
 * @throws MisuseError when it is not one
 */
export function toValue(flag: string, placeholder: string, text: string): FlagValue {
  const kind = KINDS[placeholder];
  if (kind === undefined) return text;
  if (text === "" && kind.clears === true) return null;
  const value = kind.parse(text);
  if (value === undefined) throw new MisuseError(`--${flag} needs ${kind.says}, not ${quote(text)}.`);
  return value;
}

/** A text from the command line inside a message: in quotes, and short. */
export function quote(text: string): string {
  return `"${text.length > 80 ? `${text.slice(0, 79)}…` : text}"`;
}

// What the registry takes for a lease.
function parseTtl(text: string): number | undefined {
  const milliseconds = parseDuration(text);
  return milliseconds !== undefined && milliseconds >= 1000 && milliseconds <= 30 * 86_400_000
    ? milliseconds
    : undefined;
}

function parseLimit(text: string): number | undefined {
  const value = parseInteger(text);
  return value !== undefined && value >= 1 && value <= 1000 ? value : undefined;
}

function parseInteger(text: string): number | undefined {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : undefined;
  return value !== undefined && Number.isSafeInteger(value) ? value : undefined;
}
