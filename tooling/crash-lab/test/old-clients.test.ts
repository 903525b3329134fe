import { rmSync } from "node:fs";
import { join } from "node:path";

import { openRegistry } from "@cortex/model-db";
import Database from "better-sqlite3";
import { expect, test } from "vitest";

import { oldClients } from "../src/experiments/old-clients.ts";
import { createMemoryFolder } from "../src/memory-folder.ts";
import { checkTold } from "../src/old-clients/check-told.ts";
import type { Told } from "../src/old-clients/told.ts";

test("old programs and ours, killed at any moment, lose nothing that they were told is done", async () => {
  const { summary, failures } = await oldClients.run({ seed: 1, long: false, say: () => undefined });
  console.log(summary);
  expect(failures).toEqual([]);
});

test("an old write that found its model deleted is no loss, and any other that is not there is one", async () => {
  const folder = createMemoryFolder();
  const location = join(folder, "cortex.db");
  let beganAt;
  {
    await using registry = await openRegistry(location);
    for (const modelId of ["kept", "gone"]) await registry.models.create({ modelId, sourceType: "local" });
    beganAt = Date.now();
    await registry.models.delete("gone");
  }
  const plain = new Database(location);
  const { changes } = plain.prepare("UPDATE models SET engine = 'gone.1' WHERE model_id = 'gone'").run();
  plain.close();
  expect(changes).toBe(0);
  expect(checkTold(location, [told("gone", beganAt)])).toMatchObject({
    changes: { done: 0, overtaken: 1 },
    problems: [],
  });
  expect(checkTold(location, [told("kept", beganAt)]).problems).toHaveLength(1);
  expect(checkTold(location, [told("gone", beganAt + 60_000)]).problems).toHaveLength(1);
  rmSync(folder, { recursive: true });
});

function told(modelId: string, beganAt: number): Told {
  const mark = `${modelId}.1`;
  return { modelId, kind: "update", column: "engine", mark, beganAt, outcome: { doneAt: Date.now() } };
}
