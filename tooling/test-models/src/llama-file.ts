import { ggufFile, type Tensor, type Value } from "./gguf-file.ts";

/** What a small language model says; `more` changes it. */
export function llama(more: Readonly<Record<string, Value>> = {}): Record<string, Value> {
  return {
    "general.architecture": "llama",
    "general.type": "model",
    "general.name": "Tiny Llama 1B Chat",
    "general.file_type": 15,
    "llama.context_length": 2048,
    "llama.embedding_length": 64,
    "llama.block_count": 2,
    "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "llama-bpe",
    "tokenizer.ggml.tokens": { list: "text", items: ["<unk>", "<s>", "</s>", "a"] },
    "tokenizer.chat_template": "{% for message in messages %}{{ message.content }}{% endfor %}",
    ...more,
  };
}

/** Tensors of such a model, the matrices quantized as Q4_K. */
export const LLAMA_TENSORS: readonly Tensor[] = [
  { name: "token_embd.weight", shape: [64, 4], type: 0, bytes: 64 * 4 * 4 },
  { name: "blk.0.attn_q.weight", shape: [256, 16], type: 12, bytes: 16 * 144 },
  { name: "blk.0.ffn_down.weight", shape: [256, 2], type: 14, bytes: 2 * 210 },
  { name: "output_norm.weight", shape: [64], type: 0, bytes: 64 * 4 },
];

/** A whole file of a small language model; files of another `fill` differ in their tensors. */
export function llamaFile(more: Readonly<Record<string, Value>> = {}, fill = 0): Buffer {
  return ggufFile(llama(more), LLAMA_TENSORS, { fill });
}
