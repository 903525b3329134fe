import type { NewModel, Registry } from "@cortex/model-db";

const WEIGHTS = { path: "/models/known.gguf", role: "weights" } as const;

/** The SHA-256 of the weights of `known`. */
export const KNOWN_SHA256 = "ab".repeat(32);

/** One model of each kind, by what is special about it, in the order of registration. */
export const MODELS = {
  bare: { modelId: "bare", sourceType: "local", alias: null },
  known: {
    modelId: "huggingface.co/TheBloke/Known-7B-GGUF/known-7b.Q4_K_M.gguf",
    sourceType: "huggingface",
    authorRepo: "TheBloke",
    branch: "main",
    configPath: "models/known.yml",
    alias: "known",
    aliases: ["best"],
    createdAt: Date.UTC(2024, 8, 1),
    updatedAt: Date.UTC(2025, 0, 2, 3, 4, 5, 6),
    engine: "llama-cpp",
    format: "gguf",
    architecture: "llama",
    quantization: "Q4_K_M",
    parameterCount: 7_241_732_096,
    contextLength: 32_768,
    sizeBytes: 4_368_439_584,
    capabilities: ["completion", "tools", "vision"],
    tags: ["chat"],
    notes: "the good one",
    files: [
      { ...WEIGHTS, sizeBytes: 4_368_439_584, sha256: KNOWN_SHA256 },
      { path: "/models/known.yml", role: "config", sha256: "cd".repeat(32) },
    ],
  },
  sharded: {
    modelId: "sharded:70b",
    sourceType: "cortex.so",
    parameterCount: 494_032_768,
    files: [
      { path: "/models/a.gguf", role: "weights", sha256: "ef".repeat(32) },
      { path: "/models/b.gguf", role: "weights", sha256: "01".repeat(32) },
    ],
  },
  embedding: {
    modelId: "nomic/embed:v1.5",
    sourceType: "huggingface",
    format: "mlx",
    capabilities: ["embedding"],
    parameterCount: 137_000_000,
    contextLength: 2048,
  },
  remote: { modelId: "gpt-4o", sourceType: "remote", engine: "openai" },
  downloadable: {
    modelId: "cortexso:later:7b",
    sourceType: "cortex.so",
    availability: "downloadable",
    engine: "llama-cpp",
    metadata: { legacy: { model_source: "https://example.org/cortexso/later", metadata: { size: 7 } } },
  },
  running: { modelId: "running", sourceType: "local", alias: "fast", contextLength: 4096 },
} satisfies Record<string, NewModel>;

/** Registers one model of each kind, and runs the one that runs. */
export async function createModelsOfEveryKind({ models, runs }: Registry): Promise<void> {
  for (const model of Object.values(MODELS)) await models.create(model);
  await runs.acquire(MODELS.running.modelId, { holder: "an engine", ttlMs: 60_000 });
}
