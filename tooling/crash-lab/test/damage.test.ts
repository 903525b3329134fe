import { expect, test } from "vitest";

import { BACKUPS, type BackupKind } from "../src/damage/source.ts";
import { damage, GOALS } from "../src/experiments/damage.ts";

test("a damaged registry is repaired, and what is lost is named", async () => {
  const { summary, figures, failures } = await damage.run({ seed: 1, long: false, say: () => undefined });
  console.log(summary);
  expect(failures).toEqual([]);
  const mean = figures["mean"] as Record<BackupKind, number>;
  // The goals are for thousands of damages. These few give 0.89 to 0.90 and 0.988 to 0.989.
  for (const backup of BACKUPS)
    expect(mean[backup], backup).toBeGreaterThanOrEqual(GOALS[backup] === 1 ? 1 : GOALS[backup] - 0.03);
  expect((figures["ghosts"] as Record<BackupKind, number>)["snapshot and log"]).toBe(0);
});
