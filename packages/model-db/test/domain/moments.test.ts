import { expect, test } from "vitest";

import { parseMoment } from "../../src/index.ts";

test("a time is read in every form it is promised in, and in no other", () => {
  const now = Date.UTC(2026, 0, 31);
  expect(parseMoment("2026-01-31", now)).toBe(now);
  expect(parseMoment("2026-01-31 00:00", now)).toBe(now);
  expect(parseMoment("2026-01-31T00:00:00.000Z", now)).toBe(now);
  expect(parseMoment("2026-01-31T02:00:00+02:00", now)).toBe(now);
  expect(parseMoment("2d", now)).toBe(now - 172_800_000);
  expect(parseMoment("now", now)).toBe(now);
  expect(parseMoment(String(now), now)).toBe(now);
  for (const text of [
    "",
    "x",
    "-1",
    "2026-13-01",
    "2026-02-30",
    "2026-01-31T25:00",
    "99999w",
    "+010000-01-01",
  ]) {
    expect(parseMoment(text, now), text).toBeUndefined();
  }
});
