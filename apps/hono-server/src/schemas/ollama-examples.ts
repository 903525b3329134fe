const DETAILS = {
  format: "gguf",
  family: "llama",
  families: ["llama"],
  parameter_size: "7.2B",
  quantization_level: "Q4_K_M",
  context_length: 32_768,
};
const NAMED = { name: "mistral-7b", model: "mistral-7b" };
const DIGEST = "3e0c4b4d6a1f9b2d8c7a5e6f7d8c9b0a1f2e3d4c5b6a79880f1e2d3c4b5a6978";

/** What `/api/tags`, `/api/ps` and `/api/show` say of a model, for their documentation. */
export const OLLAMA_EXAMPLES = {
  model: {
    ...NAMED,
    modified_at: "2025-01-02T03:04:05.006Z",
    size: 4_368_439_584,
    digest: DIGEST,
    details: DETAILS,
    capabilities: ["completion", "tools"],
  },
  running: { ...NAMED, digest: DIGEST, details: DETAILS, expires_at: "2025-01-02T03:09:05.006Z" },
  show: {
    details: DETAILS,
    model_info: {
      "general.architecture": "llama",
      "general.parameter_count": 7_241_732_096,
      "llama.context_length": 32_768,
    },
    capabilities: ["completion", "tools"],
    modified_at: "2025-01-02T03:04:05.006Z",
  },
};
