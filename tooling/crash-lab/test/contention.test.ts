import { expect, test } from "vitest";

import { contention } from "../src/experiments/contention.ts";

// How even it is depends on what else the machine does: 0.29 to 0.76 and at most a second on one with ten times the
// work it can do, where SQLite's own waiting gives 0.14 to 0.21 and 2 to 3 seconds.
test("eight writing processes take turns, and readers do not hold up the log", { retry: 2 }, async () => {
  const { summary, figures, failures } = await contention.run({
    seed: 1,
    long: false,
    say: () => undefined,
  });
  console.log(summary);
  expect(failures).toEqual([]);
  expect(figures["slowestToFastest"]).toBeGreaterThan(0.25);
  expect(figures["worstWaitMs"]).toBeLessThan(1500);
});
