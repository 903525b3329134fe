import { expect, test } from "vitest";

import { oldClients } from "../src/experiments/old-clients.ts";

test("old programs and ours, killed at any moment, lose nothing that they were told is done", async () => {
  const { summary, failures } = await oldClients.run({ seed: 1, long: false, say: () => undefined });
  console.log(summary);
  expect(failures).toEqual([]);
});
