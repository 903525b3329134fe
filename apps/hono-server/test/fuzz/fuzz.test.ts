import { expect, test } from "vitest";

import { fuzz } from "./fuzz.ts";

test(
  "whatever is asked, each answer is as documented, and the registry is sound afterwards",
  { timeout: 120_000 },
  async () => {
    const { faults, requests, succeeded } = await fuzz(8, 1);
    expect(faults).toEqual([]);
    expect(requests).toBeGreaterThan(100);
    expect(succeeded[0]).toBeGreaterThan(succeeded[1] / 3);
  },
);
