import { rmSync, symlinkSync } from "node:fs";

import { contentOf, HuggingFaceCache, writeTo } from "@cortex/test-stores";
import { describe, expect, test } from "vitest";

import { inShort, StoreFolder } from "./store-folder.ts";

const [FIRST, SECOND] = ["a".repeat(40), "b".repeat(40)] as const;
const WEIGHTS = contentOf("weights");
const OTHER = contentOf("other weights");
const README = contentOf("# A model");
const CONFIG = contentOf("{}");

describe("a cache of Hugging Face", () => {
  test("has a model for each GGUF file, known by the SHA-256 that its blob is called by", async () => {
    using folder = new StoreFolder();
    const cache = new HuggingFaceCache(folder.path);
    const files = [
      { path: "a.Q4_K_M.gguf", content: WEIGHTS },
      { path: "deep/a.Q8_0.gguf", content: OTHER },
      { path: "README.md", content: README, isLarge: false },
    ];
    cache.snapshot("org/repo-GGUF", FIRST, files, ["main"]);
    const { store, models, found } = await folder.read();
    expect(store).toBe("huggingface");
    expect(models.map(inShort)).toEqual([
      "org/repo-GGUF/a.Q4_K_M.gguf: whole: weights 7 known",
      "org/repo-GGUF/deep/a.Q8_0.gguf: whole: weights 13 known",
    ]);
    expect(models[0]).toMatchObject({
      modelId: "org:repo-GGUF:a.Q4_K_M.gguf",
      origin: { sourceType: "huggingface", authorRepo: "org/repo-GGUF", branch: "main", commit: FIRST },
      files: [{ path: cache.path("org/repo-GGUF", FIRST, "a.Q4_K_M.gguf"), sha256: WEIGHTS.sha256 }],
    });
    expect(models[1]!.modelId).toBe("org:repo-GGUF:deep/a.Q8_0.gguf");
    expect(found).toHaveLength(2);
  });

  test("has a repository without an organisation, and a model of many files", async () => {
    using folder = new StoreFolder();
    const cache = new HuggingFaceCache(folder.path);
    const files = [
      { path: "config.json", content: CONFIG, isLarge: false },
      { path: "model-00001-of-00002.safetensors", content: WEIGHTS },
      { path: "model-00002-of-00002.safetensors", content: OTHER },
      { path: "tokenizer.json", content: contentOf("{ }"), isLarge: false },
    ];
    cache.snapshot("gpt2", FIRST, files, ["main"]);
    const { models } = await folder.read();
    expect(models.map(inShort)).toEqual([
      "gpt2: whole: weights 7 known, weights 13 known, config 2, tokenizer 3",
    ]);
    expect(models[0]!.modelId).toBe("gpt2");
  });

  test("shows the same files of an older commit once, and other ones as detached", async () => {
    using folder = new StoreFolder();
    const cache = new HuggingFaceCache(folder.path);
    const shared = { path: "a.gguf", content: WEIGHTS };
    cache.snapshot("org/repo", SECOND, [shared, { path: "b.gguf", content: OTHER }]);
    cache.snapshot("org/repo", FIRST, [shared, { path: "b.gguf", content: WEIGHTS }], ["main"]);
    const { models } = await folder.read();
    expect(models.map(inShort)).toEqual([
      "org/repo/a.gguf: whole: weights 7 known",
      "org/repo/b.gguf: whole: weights 7 known",
      `org/repo@${SECOND.slice(0, 12)}/b.gguf: detached: weights 13 known`,
    ]);
    expect(models[0]!.files[0]!.identity).toBe(models[1]!.files[0]!.identity);
  });

  test("has branches whose names nest, each with an id of its own", async () => {
    using folder = new StoreFolder();
    const cache = new HuggingFaceCache(folder.path);
    cache.snapshot("org/repo", FIRST, [{ path: "a.gguf", content: WEIGHTS }], ["main"]);
    cache.snapshot("org/repo", SECOND, [{ path: "a.gguf", content: OTHER }], ["refs/pr/1"]);
    const { models } = await folder.read();
    expect(models.map(({ modelId, state }) => [modelId, state])).toEqual([
      ["org:repo:a.gguf", "whole"],
      ["org:repo@refs%2Fpr%2F1:a.gguf", "whole"],
    ]);
  });

  test("says which files are not there, and which downloads have not ended", async () => {
    using folder = new StoreFolder();
    const cache = new HuggingFaceCache(folder.path);
    cache.snapshot("org/repo", FIRST, [{ path: "a.gguf", content: WEIGHTS }], ["main"]);
    rmSync(`${cache.folder("org/repo")}/blobs/${WEIGHTS.sha256}`);
    cache.incomplete("org/repo", OTHER, "oth");
    writeTo(`${cache.folder("org/repo")}/blobs/${README.sha256}`, "# A model");
    const { models } = await folder.read();
    expect(models.map(inShort)).toEqual([
      "org/repo/a.gguf: broken: weights gone known",
      "org/repo: partial: other 3",
      "org/repo: detached: other 9 known",
    ]);
  });

  test("is a download as long as the blob of a link is still being fetched", async () => {
    using folder = new StoreFolder();
    const cache = new HuggingFaceCache(folder.path);
    cache.snapshot("org/repo", FIRST, [{ path: "a.gguf", content: WEIGHTS }], ["main"]);
    rmSync(`${cache.folder("org/repo")}/blobs/${WEIGHTS.sha256}`);
    cache.incomplete("org/repo", WEIGHTS, "wei");
    const { models } = await folder.read();
    expect(models.map(inShort)).toEqual(["org/repo/a.gguf: partial: weights gone known"]);
  });

  test("holds the files themselves where there are no links", async () => {
    using folder = new StoreFolder();
    const cache = new HuggingFaceCache(folder.path, { hasLinks: false });
    cache.snapshot("org/repo", FIRST, [{ path: "a.gguf", content: WEIGHTS }], ["main"]);
    const { models } = await folder.read();
    expect(models.map(inShort)).toEqual(["org/repo/a.gguf: whole: weights 7"]);
  });

  test("believes no link that leads out of the repository's blobs, and follows none in circles", async () => {
    using folder = new StoreFolder();
    const cache = new HuggingFaceCache(folder.path);
    cache.snapshot("org/repo", FIRST, [{ path: "a.gguf", content: WEIGHTS }], ["main"]);
    writeTo(folder.at("elsewhere", OTHER.sha256), "no such content");
    symlinkSync(folder.at("elsewhere", OTHER.sha256), cache.path("org/repo", FIRST, "b.gguf"));
    symlinkSync("c.gguf", cache.path("org/repo", FIRST, "c.gguf"));
    symlinkSync("..", cache.path("org/repo", FIRST, "up"));
    const { models, found } = await folder.read();
    expect(models.map(inShort)).toContain("org/repo/b.gguf: whole: weights 15");
    expect(models.map(inShort)).toContain("org/repo/c.gguf: broken: weights gone");
    expect(found.filter(({ kind }) => kind === "finding")).toEqual([
      {
        kind: "finding",
        path: cache.path("org/repo", FIRST, "c.gguf"),
        problem: "is a link that leads back to itself",
      },
    ]);
  });

  test("gives the parts of a model the projector above them, and misses parts that are not there", async () => {
    using folder = new StoreFolder();
    const cache = new HuggingFaceCache(folder.path);
    const files = [
      { path: "Q4/a-00001-of-00003.gguf", content: WEIGHTS },
      { path: "Q4/a-00002-of-00003.gguf", content: OTHER },
      { path: "mmproj-f16.gguf", content: contentOf("projector") },
      { path: "imatrix.gguf", content: contentOf("matrix") },
    ];
    cache.snapshot("org/repo", FIRST, files, ["main"]);
    const { models } = await folder.read();
    expect(models.map(inShort)).toEqual([
      "org/repo/Q4/a-00001-of-00003.gguf: partial: weights 7 known, weights 13 known, mmproj 9 known",
    ]);
  });
});
