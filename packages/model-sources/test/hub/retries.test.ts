import { expect, test } from "vitest";

import { retryAfterMs, retryAfterOf } from "../../src/hub/retries.ts";

const NOW = Date.UTC(2026, 0, 1);

test("Retry-After is read as seconds, and as a date", () => {
  expect(retryAfterMs("17", NOW)).toBe(17_000);
  expect(retryAfterMs("Thu, 01 Jan 2026 00:00:09 GMT", NOW)).toBe(9000);
});

test("a date that has passed means now, and what is neither means nothing", () => {
  expect(retryAfterMs("Thu, 01 Jan 2015 00:00:00 GMT", NOW)).toBe(0);
  expect(retryAfterMs("soon", NOW)).toBeUndefined();
  expect(retryAfterMs("", NOW)).toBeUndefined();
});

test("where a limit is used up, the time until it is full again counts as Retry-After", () => {
  const headers = new Headers({ ratelimit: '"api";r=0;t=55' });
  expect(retryAfterOf(headers)).toBe("55");
  headers.set("retry-after", "7");
  expect(retryAfterOf(headers)).toBe("7");
  expect(retryAfterOf(new Headers({ ratelimit: '"api";r=12;t=55' }))).toBeNull();
});
