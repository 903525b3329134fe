import { expect, test } from "vitest";

import { textClients } from "../src/experiments/text-clients.ts";

test(
  "old programs that rewrite model.list and ours lose nothing to each other",
  { timeout: 180_000 },
  async () => {
    const { summary, failures } = await textClients.run({ seed: 1, long: false, say: () => undefined });
    console.log(summary);
    expect(failures).toEqual([]);
  },
);
