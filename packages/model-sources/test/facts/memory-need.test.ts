import { expect, test } from "vitest";

import { memoryNeed } from "../../src/facts/memory-need.ts";
import type { ModelDimensions } from "../../src/facts/model-facts.ts";

const MiB = 1024 * 1024;

const LLAMA_3_8B: ModelDimensions = {
  blockCount: 32,
  embeddingLength: 4096,
  headCount: 32,
  kvHeadCounts: Array.from({ length: 32 }, () => 8),
  keyLength: 128,
  valueLength: 128,
  vocabularySize: 128_256,
  slidingWindow: null,
  slidingBlocks: null,
  cache: "plain",
};

test("the figures are those that llama.cpp reports for Llama 3 8B", () => {
  // "KV self size = 1024.00 MiB" for 8192 tokens of f16, "CUDA0 compute buffer size = 258.50 MiB".
  const need = memoryNeed(LLAMA_3_8B, 4_920_000_000, 8192);
  expect(need.kvCacheBytes).toEqual({ f16: 1024 * MiB, q8_0: 544 * MiB, q4_0: 288 * MiB });
  expect(need.computeBytes).toBe(258.5 * MiB);
  expect(need.totalBytes).toBe(4_920_000_000 + 1282.5 * MiB);
  expect(need.caveats.join(" ")).toContain("Without flash attention 537 MB");
});

test("a context is rounded up, as the engine does", () => {
  expect(memoryNeed(LLAMA_3_8B, 0, 1).kvCacheBytes?.f16).toBe(32 * MiB);
  expect(memoryNeed(LLAMA_3_8B, 0, 256)).toMatchObject({ kvCacheBytes: { f16: 32 * MiB } });
  expect(memoryNeed(LLAMA_3_8B, 0, 257)).toMatchObject({ kvCacheBytes: { f16: 64 * MiB } });
});

test("blocks with a sliding window, and without a cache, take less", () => {
  const pattern = Array.from({ length: 32 }, (_, block) => block % 2 === 0);
  const sliding = { ...LLAMA_3_8B, slidingWindow: 1024, slidingBlocks: pattern };
  // Half of the blocks keep 1024 + 512 tokens of 8192.
  expect(memoryNeed(sliding, 0, 8192).kvCacheBytes?.f16).toBe(512 * MiB + 96 * MiB);
  const some = { ...LLAMA_3_8B, kvHeadCounts: pattern.map((has) => (has ? 8 : 0)) };
  expect(memoryNeed(some, 0, 8192).kvCacheBytes?.f16).toBe(512 * MiB);
});

test("what is not known is said and not made up", () => {
  expect(memoryNeed(null, 100, 8192)).toMatchObject({
    kvCacheBytes: null,
    computeBytes: null,
    totalBytes: null,
  });
  const open = { ...LLAMA_3_8B, slidingWindow: 1024, vocabularySize: null, cache: "compressed" } as const;
  const need = memoryNeed(open, null, 8192);
  expect(need).toMatchObject({ computeBytes: null, totalBytes: null });
  expect(need.caveats.join(" ")).toMatch(/does not say which.*compresses.*vocabulary is not known/);
});
