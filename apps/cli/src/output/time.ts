const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS = [
  ["year", 365 * DAY],
  ["month", 30 * DAY],
  ["week", 7 * DAY],
  ["day", DAY],
  ["hour", HOUR],
  ["minute", MINUTE],
  ["second", SECOND],
] as const;
const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
  d: DAY,
  w: 7 * DAY,
};

/** The last moment that the registry can hold, in Unix milliseconds: the end of the year 9999. */
const LAST_TIME = 253_402_300_799_999;

/** A time (Unix milliseconds) as people say it: `3 minutes ago`, `in 2 hours`, `now`. */
export function formatRelative(time: number, now: number = Date.now()): string {
  const distance = Math.abs(now - time);
  // To the nearest, so that a lease of 10 minutes ends in 10 minutes; 59.5 of a unit are one of the next.
  const found = UNITS.find(([, length], index) => distance >= length - (UNITS[index + 1]?.[1] ?? SECOND) / 2);
  if (found === undefined) return "now";
  const count = Math.round(distance / found[1]);
  const words = `${count} ${found[0]}${count === 1 ? "" : "s"}`;
  return time > now ? `in ${words}` : `${words} ago`;
}

/** Milliseconds as `parseDuration` reads them, in the largest unit that is exact: `15m`. */
export function formatDuration(milliseconds: number): string {
  const fits = (["d", "h", "m", "s"] as const).find((unit) =>
    Number.isInteger(milliseconds / DURATION_UNITS[unit]!),
  );
  return fits === undefined ? `${milliseconds}ms` : `${milliseconds / DURATION_UNITS[fits]!}${fits}`;
}

/** A time (Unix milliseconds) to the millisecond, UTC, ISO 8601. What is no time at all stays a number. */
export function formatExact(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : String(time);
}

/** Milliseconds from `90s`, `15m`, `1h`, `2d`, `1w`, `500ms` or a sum such as `1h30m`; `undefined` when it is none. */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d{1,12}(?:ms|[smhdw]))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhdw])/g))
    total += Number(count) * DURATION_UNITS[unit!]!;
  return total > 0 && total <= LAST_TIME ? total : undefined;
}

/**
 * Unix milliseconds, 1970 to 9999, from an ISO 8601 date or date with time (UTC where no zone is
 * given), from Unix milliseconds, from `now`, or from a duration, meaning that long ago (`2h`).
 * `undefined` when it is none of these.
 */
export function parseTime(text: string, now: number = Date.now()): number | undefined {
  const time = text === "now" ? now : (fromDuration(text, now) ?? fromMilliseconds(text) ?? fromIso(text));
  return time !== undefined && time >= 0 && time <= LAST_TIME ? time : undefined;
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
