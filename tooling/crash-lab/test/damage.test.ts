import { expect, test } from "vitest";

import { BACKUPS, type BackupKind } from "../src/damage/source.ts";
import { damage, GOALS } from "../src/experiments/damage.ts";

test("a damaged registry is repaired, and what is lost is named", { timeout: 240_000 }, async () => {
  const { summary, figures, failures } = await damage.run({ seed: 1, long: false, say: () => undefined });
  console.log(summary);
  expect(failures).toEqual([]);
  const mean = figures["mean"] as Record<BackupKind, number>;
  // So few damages are worse or less than all of them are on average by some hundredths.
  for (const backup of BACKUPS)
    expect(mean[backup], backup).toBeGreaterThanOrEqual(GOALS[backup] === 1 ? 1 : GOALS[backup] - 0.08);
  expect((figures["ghosts"] as Record<BackupKind, number>)["snapshot and log"]).toBe(0);
});
