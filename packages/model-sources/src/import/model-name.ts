import { basename } from "node:path";

import { stemOf } from "../facts/group-files.ts";
import type { ModelFacts } from "../facts/model-facts.ts";
import { withoutLabel } from "../facts/quantization.ts";

/**
 * Names for a model that nobody named, best first: from what the file says, as far as its own name agrees with
 * that. (A fine-tuned model often still says the name of the model that it was made from.)
 *
 * @param facts what the file says.
 * @param path of the file, or of its first part.
 * @returns ids such as `Mistral-7B-Instruct-v0.3:Q4_K_M`, of which the first that is free is to be taken, and an alias
 *   such as `mistral-7b-instruct-v0.3`.
 */
export function namesFor(
  facts: Pick<ModelFacts, "name" | "quantization">,
  path: string,
): { ids: string[]; alias: string } {
  const stem = stemOf(basename(path));
  const said = facts.name === null ? "" : slugOf(withoutLabel(facts.name));
  const name =
    said !== "" && (saysNothing(stem) || shareWord(said, stem)) ? said : slugOf(stem) || said || "model";
  const { quantization } = facts;
  // What is not quantized to a label of GGUF often has it in its name.
  const isSaid = quantization !== null && name.toUpperCase().endsWith(quantization.toUpperCase());
  const id = quantization === null || isSaid ? name : `${name}:${quantization}`;
  return {
    ids: [id, ...numbered(id)],
    alias: name.toLowerCase(),
  };
}

/** A name for the folder that a model's files are copied to, from that of its first file or, if that says nothing, its own. */
export function folderNameFor(facts: Pick<ModelFacts, "name">, path: string): string {
  if (saysNothing(stemOf(basename(path))) && facts.name !== null) return slugOf(facts.name) || "model";
  return slugOf(basename(path).replace(/(?:-\d{5}-of-\d{5})?\.[^.]+$/, "")) || "model";
}

function numbered(id: string): string[] {
  return Array.from({ length: 99 }, (_, index) => `${id}-${index + 2}`);
}

// What may stand in an id without being quoted in a shell or a URL.
function slugOf(text: string): string {
  return text
    .normalize("NFC")
    .replace(/[^\p{L}\p{N}._-]+/gu, "-")
    .replace(/^[-._]+|[-._]+$/g, "")
    .slice(0, 120);
}

// A digest, or a word that every model could be called by.
function saysNothing(stem: string): boolean {
  return /^(?:sha256-)?[0-9a-f]{32,}$/i.test(stem) || wordsOf(stem).every((word) => GENERAL_WORDS.has(word));
}

const GENERAL_WORDS: ReadonlySet<string> = new Set([
  "ggml",
  "gguf",
  "model",
  "weights",
  "consolidated",
  "unsloth",
]);

function shareWord(said: string, stem: string): boolean {
  const words = new Set(wordsOf(stem));
  return wordsOf(said).some((word) => words.has(word));
}

// Sizes such as 7b, which many models share, are no words.
function wordsOf(text: string): string[] {
  return (text.toLowerCase().match(/\p{L}[\p{L}\p{N}]*/gu) ?? []).filter((word) => word.length >= 3);
}
