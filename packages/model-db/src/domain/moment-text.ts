import { MAX_TIME_MS } from "./input.ts";

const SECOND_MS = 1000;
const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND_MS,
  m: 60 * SECOND_MS,
  h: 3600 * SECOND_MS,
  d: 86_400 * SECOND_MS,
  w: 7 * 86_400 * SECOND_MS,
};

/**
 * Milliseconds from `90s`, `15m`, `1h`, `2d`, `1w`, `500ms` or a sum such as `1h30m`.
 *
 * @returns `undefined` when it is none.
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d{1,12}(?:ms|[smhdw]))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhdw])/g))
    total += Number(count) * DURATION_UNITS[unit!]!;
  return total > 0 && total <= MAX_TIME_MS ? total : undefined;
}

/**
 * Unix milliseconds, 1970 to 9999, from an ISO 8601 date or date with time (UTC where no zone is
 * given), from Unix milliseconds, from `now`, or from a duration, meaning that long ago (`2h`).
 *
 * @returns `undefined` when it is none of these.
 */
export function parseMoment(text: string, now: number = Date.now()): number | undefined {
  const time = text === "now" ? now : (fromDuration(text, now) ?? fromMilliseconds(text) ?? fromIso(text));
  return time !== undefined && time >= 0 && time <= MAX_TIME_MS ? time : undefined;
}

function fromDuration(text: string, now: number): number | undefined {
  const duration = parseDuration(text);
  return duration === undefined ? undefined : now - duration;
}

function fromMilliseconds(text: string): number | undefined {
  return /^\d{5,15}$/.test(text) ? Number(text) : undefined;
}

const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(\.\d{1,9})?)?)?(Z|[+-]\d\d:\d\d)?$/;

function fromIso(text: string): number | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, date, clock = "00:00", second = "00", fraction = ".000", zone = "Z"] = match;
  // Date.parse turns 30 February into 2 March.
  const midnight = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(date!)) return undefined;
  const time = Date.parse(`${date}T${clock}:${second}${fraction.slice(0, 4)}${zone}`);
  return Number.isNaN(time) ? undefined : time;
}
