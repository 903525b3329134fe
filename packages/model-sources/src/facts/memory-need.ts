import type { ModelDimensions } from "./model-facts.ts";

/** Something by the ways in which a cache of keys and values can be kept. */
interface ByCacheType {
  readonly f16: number;
  readonly q8_0: number;
  readonly q4_0: number;
}

// What each number takes: of blocks as in ggml.
const BYTES_PER_NUMBER: ByCacheType = { f16: 2, q8_0: 34 / 32, q4_0: 18 / 32 };

/** What it takes to run a model, in bytes; `null` is "not known". */
export interface MemoryNeed {
  /** Tokens. */
  readonly contextLength: number;
  readonly weightsBytes: number | null;
  /** By how it is kept. */
  readonly kvCacheBytes: ByCacheType | null;
  /** What the engine computes in. */
  readonly computeBytes: number | null;
  /** Of all three, with a cache of `f16`. */
  readonly totalBytes: number | null;
  /** What the figures leave out, or where they are too high: sentences for people. */
  readonly caveats: readonly string[];
}

// Tokens that llama.cpp computes at a time unless told otherwise (`n_ubatch`), and how it rounds contexts up.
const BATCH = 512;
const STEP = 256;

/**
 * Estimates the memory that llama.cpp takes to run a model for one conversation, with its defaults:
 *
 * - **weights**: the size of the files; they are mapped as they are.
 * - **cache**: for each block, tokens × heads of keys and values × (length of a key + length of a value) × bytes of a
 *   number (`llama_kv_cache`). A block with a sliding window keeps `window + 512` tokens at most
 *   (`llama_kv_cache_iswa`). Tokens are rounded up to 256.
 * - **compute**: 512 tokens × (vocabulary + embedding length) × 4 bytes: the results for a batch are the largest that
 *   is held at once when flash attention is on. For Llama 3 8B that is 258.5 MiB, which is what llama.cpp reports.
 *   Without flash attention 512 × tokens × heads × 4 bytes come to it.
 *
 * Source: llama.cpp, `src/llama-kv-cache.cpp`, `src/llama-kv-cache-iswa.cpp`, `src/llama-graph.cpp`.
 *
 * @param dimensions of the model; `null` where they are not known.
 * @param weightsBytes the size of its files.
 * @param contextLength tokens, from 1.
 */
export function memoryNeed(
  dimensions: ModelDimensions | null,
  weightsBytes: number | null,
  contextLength: number,
): MemoryNeed {
  const caveats = ["Memory of the engine itself, and of other conversations at the same time, is not in it."];
  if (dimensions === null) {
    caveats.push("The file does not say how the model is built, so that its cache is not known.");
    return { contextLength, weightsBytes, kvCacheBytes: null, computeBytes: null, totalBytes: null, caveats };
  }
  const numbers = cachedNumbers(dimensions, contextLength);
  const kvCacheBytes = {
    f16: numbers * BYTES_PER_NUMBER.f16,
    q8_0: Math.ceil(numbers * BYTES_PER_NUMBER.q8_0),
    q4_0: Math.ceil(numbers * BYTES_PER_NUMBER.q4_0),
  };
  const { vocabularySize, embeddingLength } = dimensions;
  const computeBytes = vocabularySize === null ? null : BATCH * (vocabularySize + embeddingLength) * 4;
  caveats.push(...caveatsOf(dimensions, contextLength));
  const parts = [weightsBytes, kvCacheBytes.f16, computeBytes];
  const totalBytes = parts.reduce((sum, part) => (sum === null || part === null ? null : sum + part));
  return { contextLength, weightsBytes, kvCacheBytes, computeBytes, totalBytes, caveats };
}

function cachedNumbers(dimensions: ModelDimensions, contextLength: number): number {
  const { kvHeadCounts, keyLength, valueLength, slidingWindow, slidingBlocks } = dimensions;
  const all = roundUp(contextLength);
  const seen = slidingWindow === null ? all : roundUp(Math.min(contextLength, slidingWindow + BATCH));
  return kvHeadCounts.reduce((sum, heads, block) => {
    const tokens = slidingBlocks?.[block] === true ? seen : all;
    return sum + tokens * heads * (keyLength + valueLength);
  }, 0);
}

function caveatsOf(
  { headCount, slidingWindow, slidingBlocks, cache, vocabularySize }: ModelDimensions,
  contextLength: number,
): string[] {
  const caveats = [
    `Without flash attention ${Math.round((BATCH * roundUp(contextLength) * headCount * 4) / 1e6).toLocaleString("en")} MB come to it.`,
  ];
  if (slidingWindow !== null && slidingBlocks === null) {
    caveats.push(
      `Some blocks only see ${slidingWindow} tokens, and the file does not say which: the cache is smaller than this.`,
    );
  }
  if (cache === "compressed") caveats.push("The model compresses its cache: it is smaller than this.");
  if (cache === "with state") {
    caveats.push("Blocks without a cache keep a state instead, of a fixed size, which is not in it.");
  }
  if (vocabularySize === null) caveats.push("The size of the vocabulary is not known.");
  return caveats;
}

function roundUp(tokens: number): number {
  return Math.ceil(tokens / STEP) * STEP;
}
