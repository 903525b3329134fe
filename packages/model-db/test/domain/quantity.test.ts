import { expect, test } from "vitest";

import { formatCount, formatSize, parseSize } from "../../src/index.ts";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1 kB"],
  [999_999, "1 MB"],
  [4_700_000_000, "4.7 GB"],
  [12_345_678_901, "12.3 GB"],
  [999_500_000_000, "1 TB"],
  [Number.MAX_SAFE_INTEGER, "9 PB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});

test("what a size is shown as is read as nearly the same size", () => {
  for (let bytes = 1; bytes < Number.MAX_SAFE_INTEGER / 2; bytes = bytes * 1.37 + 1) {
    const whole = Math.round(bytes);
    expect(Math.abs(parseSize(formatSize(whole))! - whole), String(whole)).toBeLessThanOrEqual(whole * 0.06);
  }
});

test("counts are short", () => {
  expect([999, 1500, 7_240_000_000].map(formatCount)).toEqual(["999", "1.5K", "7.2B"]);
});
