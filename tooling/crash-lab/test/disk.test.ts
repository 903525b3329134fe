import { expect, test } from "vitest";

import { disk } from "../src/experiments/disk.ts";

test("a full disk refuses changes and loses none, and lets models go (root only)", async ({ skip }) => {
  const { summary, failures, skipped } = await disk.run({ seed: 1, long: false, say: () => undefined });
  console.log(summary);
  expect(failures).toEqual([]);
  if (skipped !== undefined) skip(skipped);
});
