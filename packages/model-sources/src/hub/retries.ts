import { wait } from "./wait.ts";

/** How often something is tried again, and how long is waited before. */
export interface Retries {
  /** After the first one. */
  readonly count: number;
  /** Before the first one; each time twice as long. */
  readonly firstDelayMs: number;
  /** No wait is longer, whatever a server asks for. */
  readonly maxDelayMs: number;
}

export const DEFAULT_RETRIES: Retries = { count: 5, firstDelayMs: 500, maxDelayMs: 120_000 };
const MAX_BACKOFF_MS = 30_000;

/**
 * Waits before the next try: as long as the server asked for, else longer each time, and never twice the
 * same, so that many clients do not come back at once ("full jitter", AWS Architecture Blog, 2015).
 *
 * @param tried how often it was tried already, from 1.
 * @param retryAfter the header's value: seconds, or a date.
 */
export async function waitToRetry(
  { firstDelayMs, maxDelayMs }: Retries,
  tried: number,
  retryAfter: string | null,
  signal: AbortSignal | undefined,
): Promise<void> {
  const backoff = Math.random() * Math.min(firstDelayMs * 2 ** (tried - 1), MAX_BACKOFF_MS);
  const asked = retryAfter === null ? undefined : retryAfterMs(retryAfter, Date.now());
  // A little later than asked, or all come back at the same moment.
  const delay = asked === undefined ? backoff : asked + Math.min(backoff, 1000);
  await wait(Math.min(delay, maxDelayMs), signal);
}

/**
 * How long a server asks to wait, as {@link waitToRetry} takes it: `Retry-After`, else what Hugging Face says
 * when nothing is left of a limit, in the words of the IETF's draft-ietf-httpapi-ratelimit-headers.
 */
export function retryAfterOf(headers: Headers): string | null {
  const [, seconds = null] = /;\s*r=0\s*;\s*t=(\d+)/.exec(headers.get("ratelimit") ?? "") ?? [];
  return headers.get("retry-after") ?? seconds;
}

/** What `Retry-After` means (RFC 9110, 10.2.3), in ms from now, never negative; `undefined`: nothing. */
export function retryAfterMs(value: string, now: number): number | undefined {
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
