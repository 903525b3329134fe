import { expect, test } from "vitest";

import { retryAfterMs } from "../../src/hub/retries.ts";

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
