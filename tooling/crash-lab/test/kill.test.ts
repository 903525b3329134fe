import { rmSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { kill } from "../src/experiments/kill.ts";
import { makeRegistry, numberedModels, REGISTRY_FILE } from "../src/fixtures.ts";
import { checkHistory } from "../src/kill/check-history.ts";
import { createMemoryFolder } from "../src/memory-folder.ts";

test("no acknowledged change is lost when its process is killed", async () => {
  const { summary, failures } = await kill.run({ seed: 1, long: false, say: () => undefined });
  console.log(summary);
  expect(failures).toEqual([]);
});

test("a change that is lost is noticed", async () => {
  const folder = createMemoryFolder();
  await makeRegistry(folder, numberedModels("there", 3));
  const there = { modelId: "there-1", rowVersion: 1, deleted: false };
  const location = join(folder, REGISTRY_FILE);
  expect(checkHistory(location, [there])).toEqual([]);
  expect(checkHistory(location, [there, { ...there, rowVersion: 2 }])).toEqual(["lost: there-1 version 2"]);
  expect(checkHistory(location, [{ ...there, deleted: true }])).toHaveLength(1);
  rmSync(folder, { recursive: true });
});
