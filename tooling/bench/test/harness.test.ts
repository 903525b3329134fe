import { expect, test } from "vitest";

import { measure } from "../src/harness.ts";
import { median, quantile } from "../src/statistics.ts";

function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test("the slower contender has the larger ratio", async () => {
  const measurement = await measure(
    [
      { name: "slow", run: () => spin(0.4) },
      { name: "fast", run: () => spin(0.1) },
    ],
    { clock: "cpu", rounds: 5, batchMs: 5 },
  );

  expect(measurement.ratio("slow", "fast")).toBeGreaterThan(1.5);
  expect(measurement.ratio("fast", "fast")).toBe(1);
});

test("the median of an even number of values is between the middle ones", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(quantile([0, 10], 0.9)).toBe(9);
  expect(median([])).toBeNaN();
});
