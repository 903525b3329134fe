import type { NewModel } from "@cortex/model-db";

/** The models of a benchmark are the same in every run: the n-th is a function of n. */
export const DATASET_VERSION = 1;

const QUANTIZATIONS = ["Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "F16"];
const FAMILIES = ["Llama", "Mistral", "Qwen", "Gemma", "Phi"];
const START_MS = 1_700_000_000_000;

/** The n-th model: five quantizations of each repository, one model in twenty from cortex.so or a local file. */
export function modelAt(index: number): NewModel & { modelId: string; alias: string; authorRepo: string } {
  const repository = Math.floor(index / QUANTIZATIONS.length);
  const quantization = QUANTIZATIONS[index % QUANTIZATIONS.length]!;
  const family = FAMILIES[repository % FAMILIES.length]!;
  const name = `${family}-${repository}-GGUF`;
  const authorRepo = `author-${repository % 997}/${name}`;
  return {
    modelId: `huggingface.co/${authorRepo}/${name.toLowerCase()}.${quantization}.gguf`,
    alias: aliasAt(index),
    sourceType: index % 20 === 7 ? "cortex.so" : index % 20 === 13 ? "local" : "huggingface",
    authorRepo,
    branch: "main",
    configPath: `models/huggingface.co/${authorRepo}/${quantization}.yml`,
    createdAt: START_MS + index * 1000,
    engine: "llama-cpp",
    format: "gguf",
    architecture: family.toLowerCase(),
    quantization,
    parameterCount: 7_000_000_000 + (index % 100) * 1_000_000,
    contextLength: 8192,
    sizeBytes: 4_000_000_000 + index * 4096,
    capabilities: ["chat"],
    metadata: { license: "apache-2.0", revision: index },
    tags: index % 2 === 0 ? ["chat"] : ["chat", index % 1000 === 1 ? "rare" : "old"],
  };
}

export function aliasAt(index: number): string {
  return `model-${index}`;
}

/** Models from one index up to another, without the latter. */
export function* models(from: number, to: number): Generator<ReturnType<typeof modelAt>> {
  for (let index = from; index < to; index++) yield modelAt(index);
}

/** Indexes in 0 … size - 1, evenly spread in an order that no cache foresees; always the same. */
export function sampleIndexes(size: number, count: number): number[] {
  let state = 12_345;
  return Array.from({ length: count }, () => {
    // https://en.wikipedia.org/wiki/Linear_congruential_generator, the constants of glibc
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * size);
  });
}
