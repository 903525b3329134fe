/** What both versions of LM Studio's list say of a model, for their documentation. */
export const LM_STUDIO_EXAMPLES = {
  v0: {
    id: "mistral-7b",
    object: "model",
    type: "llm",
    publisher: "TheBloke",
    arch: "llama",
    compatibility_type: "gguf",
    quantization: "Q4_K_M",
    state: "loaded",
    max_context_length: 32_768,
  },
  v1: {
    type: "llm",
    publisher: "TheBloke",
    key: "mistral-7b",
    display_name: "mistral-7b",
    architecture: "llama",
    quantization: { name: "Q4_K_M", bits_per_weight: null },
    size_bytes: 4_368_439_584,
    params_string: "7.2B",
    loaded_instances: [{ id: "42", config: {} }],
    max_context_length: 32_768,
    format: "gguf",
    capabilities: { vision: false, trained_for_tool_use: true },
  },
};
