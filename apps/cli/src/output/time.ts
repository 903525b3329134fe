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
const DURATION_UNITS = { d: DAY, h: HOUR, m: MINUTE, s: SECOND } as const;

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
    Number.isInteger(milliseconds / DURATION_UNITS[unit]),
  );
  return fits === undefined ? `${milliseconds}ms` : `${milliseconds / DURATION_UNITS[fits]}${fits}`;
}

/** A time (Unix milliseconds) to the millisecond, UTC, ISO 8601. What is no time at all stays a number. */
export function formatExact(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : String(time);
}
