import { contentOf, HuggingFaceCache } from "@cortex/test-stores";
import { scanCacheDir } from "@huggingface/hub";
import { expect, test } from "vitest";

import { StoreFolder } from "./store-folder.ts";

test("what we find in a cache of Hugging Face is what its own client finds", async () => {
  using folder = new StoreFolder();
  const cache = new HuggingFaceCache(folder.path);
  const [weights, other] = [contentOf("weights"), contentOf("other weights")];
  const shared = { path: "a.gguf", content: weights };
  cache.snapshot("org/repo-GGUF", "a".repeat(40), [shared, { path: "b.gguf", content: other }], ["main"]);
  cache.snapshot("org/repo-GGUF", "b".repeat(40), [shared], ["refs/pr/1"]);
  cache.snapshot("gpt2", "c".repeat(40), [{ path: "c.gguf", content: other }], ["main"]);

  const { repos, size } = await scanCacheDir(folder.path);
  const { models } = await folder.read();

  expect(new Set(models.map(({ origin }) => origin.authorRepo))).toEqual(
    new Set(repos.map(({ id }) => id.name)),
  );
  const sizes = new Map(models.flatMap(({ files }) => files).map((file) => [file.identity, file.sizeBytes!]));
  expect([...sizes.values()].reduce((sum, bytes) => sum + bytes, 0)).toBe(size);
  const theirs = repos
    .flatMap(({ revisions }) => revisions)
    .flatMap(({ files }) => files.map((file) => file.path));
  const ours = models.flatMap(({ files }) => files.map((file) => file.path));
  expect(ours.filter((path) => !theirs.includes(path))).toEqual([]);
});
