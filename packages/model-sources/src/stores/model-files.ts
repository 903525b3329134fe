import type { FileRole } from "@cortex/model-db";

// As transformers names the parts of a model that was split.
const PART = /^(.+)-(\d{5})-of-(\d{5})(\.(?:safetensors|bin))$/i;
const WEIGHTS = /\.(?:gguf|safetensors|bin|pt|pth|onnx|h5|msgpack|ckpt|npz)$/i;
// What a download is called until it has ended: browsers, aria2, wget, huggingface_hub, llama.cpp, LM Studio, we.
const PARTIAL =
  /\.(?:incomplete|partial|part|download|downloading|downloadInProgress|crdownload|aria2|tmp)$/i;
const TOKENIZER =
  /^(?:tokenizer.*|vocab.*|merges\.txt|special_tokens_map\.json|added_tokens\.json|.*\.(?:model|tiktoken))$/i;
const TEMPLATE = /^(?:chat_template.*|.*\.jinja)$/i;
const CONFIG = /\.(?:json|ya?ml)$/i;

/** Which part of a split model a file is, by its name; `undefined` where it says none. */
export function partOf(
  name: string,
): { readonly whole: string; readonly number: number; readonly count: number } | undefined {
  const [, stem, number, count, extension] = PART.exec(name) ?? [];
  if (stem === undefined) return undefined;
  return { whole: `${stem}${extension}`, number: Number(number), count: Number(count) };
}

/** What a file is for, by its name. */
export function roleOf(name: string): FileRole {
  if (isGguf(name)) {
    if (/mmproj/i.test(name)) return "mmproj";
    return /^(?:imatrix|ggml-vocab-)/i.test(name) ? "other" : "weights";
  }
  if (TOKENIZER.test(name)) return "tokenizer";
  if (TEMPLATE.test(name)) return "template";
  if (WEIGHTS.test(name)) return "weights";
  return CONFIG.test(name) ? "config" : "other";
}

/** Whether a name is that of a GGUF file. */
export function isGguf(name: string): boolean {
  return /\.gguf$/i.test(name);
}

/** The name that a download gets when it has ended; `undefined` where a file is none, or not of a model. */
export function nameOfPartial(name: string): string | undefined {
  if (!PARTIAL.test(name)) return undefined;
  const whole = name.replace(PARTIAL, "");
  return WEIGHTS.test(whole) ? whole : undefined;
}
