import { createHash } from "node:crypto";

import { hasForbiddenCharacter, type JsonObject, type NewModel } from "@cortex/model-db";

import type { ModelFacts } from "./model-facts.ts";

type FactFields = Pick<
  NewModel,
  | "engine"
  | "format"
  | "architecture"
  | "quantization"
  | "parameterCount"
  | "contextLength"
  | "capabilities"
  | "metadata"
>;

// Far longer than any that there is.
const MAX_WORD = 128;

/**
 * What of a model's facts becomes part of its record. Of the chat template, which can be long and stands in the
 * file, only the SHA-256: it tells models with the same one, and one that was changed.
 */
export function recordOfFacts(facts: ModelFacts): FactFields {
  const { name, tokenizer, license, chatTemplate } = facts;
  const metadata: JsonObject = {};
  if (name !== null) metadata["name"] = name;
  if (tokenizer !== null) metadata["tokenizer"] = tokenizer;
  if (license !== null) metadata["license"] = license;
  if (chatTemplate !== null) {
    metadata["chat_template_sha256"] = createHash("sha256").update(chatTemplate).digest("hex");
  }
  return {
    engine: facts.format === "gguf" ? "llama-cpp" : null,
    format: facts.format,
    architecture: wordOrNull(facts.architecture),
    quantization: wordOrNull(facts.quantization),
    parameterCount: facts.parameterCount,
    contextLength: facts.contextLength,
    capabilities: facts.capabilities,
    metadata,
  };
}

/** A file can claim any text: what no record could hold says nothing. */
function wordOrNull(text: string | null): string | null {
  return text === null || text.length > MAX_WORD || hasForbiddenCharacter(text) ? null : text;
}
