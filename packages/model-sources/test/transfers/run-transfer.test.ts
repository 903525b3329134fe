import { readFileSync, existsSync } from "node:fs";

import { expect, test } from "vitest";

import { followTransfer, pulledFrom } from "../../src/index.ts";
import { PullPlace } from "./pull-place.ts";

const FILE = { sizeBytes: 3_000_000, seed: 7 };

test("a pulled model is registered with its verified files and where they came from", async () => {
  await using place = await PullPlace.make();
  const commit = place.server.commit("org/repo", { "m.Q4_K_M.gguf": FILE, "README.md": "hello" });
  const { transferId } = await place.request("org/repo", { alias: "tiny" });
  const done = await followTransfer(place.registry, transferId, { hub: place.hub });
  expect(done).toMatchObject({ state: "done", doneBytes: 3_000_000 });
  const model = await place.registry.models.resolve("tiny");
  expect(model).toMatchObject({ modelId: "org:repo:m.Q4_K_M.gguf", availability: "present", branch: "main" });
  expect(pulledFrom(model)).toEqual({
    reference: "org/repo",
    repository: "org/repo",
    branch: "main",
    commitId: commit,
  });
  const path = place.models("huggingface.co/org/repo/m.Q4_K_M.gguf");
  expect(existsSync(path)).toBe(true);
  expect(readFileSync(path).length).toBe(3_000_000);
});
