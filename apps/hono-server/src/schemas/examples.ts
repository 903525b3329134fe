import type { z } from "zod";

import type { modelSchema } from "./model.ts";

/** A model, for documentation. */
export const MODEL_EXAMPLE: z.output<typeof modelSchema> = {
  id: "tinyllama:1b-gguf",
  object: "model",
  created: 1_767_225_600,
  owned_by: "cortexso",
  model: "tinyllama:1b-gguf",
  model_id: "tinyllama:1b-gguf",
  source_type: "cortex.so",
  author_repo: "cortexso",
  branch: "1b-gguf",
  config_path: "models/cortex.so/tinyllama/1b-gguf/model.yml",
  alias: "tiny",
  aliases: [],
  status: 0,
  created_at: 1_767_225_600_000,
  updated_at: 1_767_225_600_000,
  availability: "present",
  engine: "llama-cpp",
  format: "gguf",
  architecture: "llama",
  quantization: "Q4_K_M",
  parameter_count: 1_100_000_000,
  context_length: 2048,
  size_bytes: 668_788_096,
  capabilities: ["completion"],
  metadata: { license: "apache-2.0" },
  tags: ["chat"],
  notes: null,
  pinned: false,
  last_used_at: null,
  row_version: 1,
  row_checksum: "9f86d081884c7d65",
};
