import type { ByteSource } from "./byte-source.ts";
import { speaksOfTools } from "./chat-template.ts";
import { readGgufHeader, type GgufHeader, type GgufValue } from "./gguf-header.ts";
import type { FileKind, ModelDimensions, ModelFacts } from "./model-facts.ts";
import { quantizationOf } from "./quantization.ts";

/**
 * What a GGUF file says about itself.
 *
 * @param source the file.
 * @param fileName its name, which can tell the quantization.
 * @param maxBytes how much of it may be read: see {@link readGgufHeader}.
 * @throws RegistryError `invalid_input` for what is no whole GGUF file.
 */
export async function readGgufFacts(
  source: ByteSource,
  fileName: string,
  maxBytes?: number,
): Promise<ModelFacts> {
  return toFacts(await readGgufHeader(source, maxBytes), fileName);
}

function toFacts(header: GgufHeader, fileName: string): ModelFacts {
  const { values, tensors } = header;
  const architecture = text(values, "general.architecture");
  const own = (key: string): number | null => count(values, `${architecture}.${key}`);
  const template = text(values, "tokenizer.chat_template");
  const kind = kindOf(header, architecture);
  const tokenizer = [text(values, "tokenizer.ggml.model"), text(values, "tokenizer.ggml.pre")];
  return {
    kind,
    format: "gguf",
    architecture,
    name: text(values, "general.name"),
    quantization: kind === "vocabulary" ? null : quantizationOf(header, fileName),
    parameterCount: tensors?.parameterCount ?? null,
    contextLength: own("context_length"),
    capabilities: capabilitiesOf(kind, header, architecture, template),
    chatTemplate: template,
    tokenizer: tokenizer.filter((part) => part !== null).join("/") || null,
    license: text(values, "general.license"),
    part: partOf(values),
    dimensions: dimensionsOf(header, architecture),
    projectsTo: kind === "projector" ? count(values, "clip.vision.projection_dim") : null,
    complete: header.complete,
  };
}

function kindOf({ values, tensors }: GgufHeader, architecture: string | null): FileKind {
  const type = text(values, "general.type");
  if (architecture === "clip" || type === "mmproj") return "projector";
  if (type === "adapter") return "adapter";
  if (type !== null && type !== "model") return "other";
  return tensors?.count === 0 && count(values, "split.count") === null ? "vocabulary" : "model";
}

// Encoders: what comes out of them is a vector. (`llm_arch` of llama.cpp; others say it by how they pool.)
const ENCODERS = /^(?:.*bert.*|t5encoder|gemma-embedding|llama-embed)$/;
const POOLING_NONE = 0;
const POOLING_RANK = 4;

function capabilitiesOf(
  kind: FileKind,
  { values }: GgufHeader,
  architecture: string | null,
  template: string | null,
): string[] {
  if (kind === "projector") return sensesOf(values);
  if (kind !== "model" || architecture === null) return [];
  const pooling = count(values, `${architecture}.pooling_type`) ?? POOLING_NONE;
  if (pooling === POOLING_RANK) return ["rerank"];
  const isEncoder = ENCODERS.test(architecture) || values.get(`${architecture}.attention.causal`) === false;
  if (isEncoder || pooling !== POOLING_NONE) return ["embedding"];
  return template !== null && speaksOfTools(template) ? ["completion", "tools"] : ["completion"];
}

// What a projector brings to the model that it lies beside. Older ones only knew images, and did not say so.
function sensesOf(values: ReadonlyMap<string, GgufValue>): string[] {
  const hears = values.get("clip.has_audio_encoder") === true;
  const sees = values.get("clip.has_vision_encoder") ?? !hears;
  return [...(sees === true ? ["vision"] : []), ...(hears ? ["audio"] : [])];
}

// `split.no` counts from 0, the names of files from 1.
function partOf(values: ReadonlyMap<string, GgufValue>): ModelFacts["part"] {
  const parts = count(values, "split.count");
  const number = count(values, "split.no");
  return parts === null || number === null || parts < 2 ? null : { number: number + 1, count: parts };
}

function dimensionsOf(
  { values, listLengths }: GgufHeader,
  architecture: string | null,
): ModelDimensions | null {
  const own = (key: string): number | null => count(values, `${architecture}.${key}`);
  const blockCount = own("block_count");
  const embeddingLength = own("embedding_length");
  const headCounts = perBlock(values.get(`${architecture}.attention.head_count`), blockCount);
  if (blockCount === null || embeddingLength === null || headCounts === null) return null;
  const headCount = Math.max(...headCounts);
  const kvHeadCounts =
    perBlock(values.get(`${architecture}.attention.head_count_kv`), blockCount) ?? headCounts;
  const headLength = Math.floor(embeddingLength / headCount);
  return {
    blockCount,
    embeddingLength,
    headCount,
    kvHeadCounts,
    keyLength: own("attention.key_length") ?? headLength,
    valueLength: own("attention.value_length") ?? headLength,
    vocabularySize: listLengths.get("tokenizer.ggml.tokens") ?? own("vocab_size"),
    slidingWindow: own("attention.sliding_window") || null,
    slidingBlocks: slidingBlocksOf(
      values.get(`${architecture}.attention.sliding_window_pattern`),
      blockCount,
    ),
    cache: cacheOf(values, `${architecture}.`),
  };
}

// A truth value for each block, or how many blocks follow each other of which the last sees everything.
function slidingBlocksOf(pattern: GgufValue | undefined, blockCount: number): readonly boolean[] | null {
  if (typeof pattern === "number" && pattern >= 1) {
    return Array.from({ length: blockCount }, (_, index) => (index + 1) % pattern !== 0);
  }
  if (!Array.isArray(pattern) || pattern.length < blockCount) return null;
  return (pattern as readonly number[]).slice(0, blockCount).map((slides) => slides !== 0);
}

function cacheOf(values: ReadonlyMap<string, GgufValue>, own: string): ModelDimensions["cache"] {
  if (values.has(`${own}attention.kv_lora_rank`)) return "compressed";
  const keys = [...values.keys()];
  return keys.some((key) => /^(?:ssm|wkv|shortconv)\./.test(key.startsWith(own) ? key.slice(own.length) : ""))
    ? "with state"
    : "plain";
}

function perBlock(value: GgufValue | undefined, blockCount: number | null): readonly number[] | null {
  if (blockCount === null || blockCount < 1 || blockCount > 10_000) return null;
  if (typeof value === "number" && value > 0) return Array.from({ length: blockCount }, () => value);
  if (!Array.isArray(value) || value.length < blockCount) return null;
  const counts = (value as readonly number[]).slice(0, blockCount);
  return counts.every((each) => each >= 0) && counts.some((each) => each > 0) ? counts : null;
}

function text(values: ReadonlyMap<string, GgufValue>, key: string): string | null {
  const value = values.get(key);
  return typeof value === "string" && value.trim() !== "" ? value : null;
}

function count(values: ReadonlyMap<string, GgufValue>, key: string): number | null {
  const value = values.get(key);
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
