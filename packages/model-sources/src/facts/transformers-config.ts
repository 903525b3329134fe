import { asArray, asObject, asText } from "../stores/json-value.ts";
import { speaksOfTools } from "./chat-template.ts";
import type { ModelDimensions } from "./model-facts.ts";

type Config = Readonly<Record<string, unknown>>;

/** What `config.json` beside weights says, as transformers and MLX write it. */
export interface TransformersConfig {
  readonly architecture: string;
  readonly contextLength: number | null;
  readonly dimensions: ModelDimensions | null;
  /** Bits of each number and how they came about, where it is quantized, e.g. `4bit`, `AWQ-4bit`. */
  readonly quantization: { readonly name: string; readonly bits: number | null } | null;
  readonly isMlx: boolean;
}

/**
 * Reads a `config.json`.
 *
 * @returns `undefined` where it is not that of a model.
 */
export function parseTransformersConfig(json: unknown): TransformersConfig | undefined {
  const config = asObject(json) ?? {};
  const architecture = asText(config["model_type"]);
  if (architecture === undefined) return undefined;
  // Models that see keep what is said of the language model in a part of its own.
  const text = asObject(config["text_config"]) ?? config;
  return {
    architecture,
    contextLength: count(text["max_position_embeddings"]) ?? count(text["n_positions"]),
    dimensions: dimensionsOf(text),
    quantization: quantizationOf(config),
    isMlx: asObject(config["quantization"]) !== undefined,
  };
}

/**
 * What a model can do, by its configuration and its chat template.
 *
 * @param isEmbedder whether a file beside it says that its vectors are pooled.
 */
export function capabilitiesOf(json: unknown, template: string | null, isEmbedder: boolean): string[] {
  const config = asObject(json) ?? {};
  const classes = asArray(config["architectures"]).flatMap((name) => asText(name) ?? []);
  if (isEmbedder) return ["embedding"];
  if (classes.some((name) => name.endsWith("ForSequenceClassification"))) return ["rerank"];
  if (classes.some((name) => /(?:ForCausalLM|ForConditionalGeneration|LMHeadModel)$/.test(name))) {
    return [
      "completion",
      ...(template !== null && speaksOfTools(template) ? ["tools"] : []),
      ...(asObject(config["vision_config"]) === undefined ? [] : ["vision"]),
      ...(asObject(config["audio_config"]) === undefined ? [] : ["audio"]),
    ];
  }
  return classes.some((name) => /(?:Bert|RoBERTa|Roberta|MPNet)\w*Model$/.test(name)) ? ["embedding"] : [];
}

function quantizationOf(config: Config): TransformersConfig["quantization"] {
  const mlx = asObject(config["quantization"]);
  if (mlx !== undefined) {
    const bits = count(mlx["bits"]);
    return bits === null ? null : { name: `${bits}bit`, bits };
  }
  const other = asObject(config["quantization_config"]);
  const method = asText(other?.["quant_method"]);
  if (other === undefined || method === undefined || !/^[\w.-]{1,40}$/.test(method)) return null;
  const bits = count(other["bits"]) ?? (other["load_in_4bit"] === true ? 4 : null);
  return { name: bits === null ? method.toUpperCase() : `${method.toUpperCase()}-${bits}bit`, bits };
}

function dimensionsOf(text: Config): ModelDimensions | null {
  const blockCount = count(text["num_hidden_layers"]) ?? count(text["n_layer"]);
  const embeddingLength = count(text["hidden_size"]) ?? count(text["n_embd"]);
  const headCount = count(text["num_attention_heads"]) ?? count(text["n_head"]);
  if (blockCount === null || embeddingLength === null || headCount === null || headCount === 0) return null;
  if (blockCount > 10_000) return null;
  const headLength = count(text["head_dim"]) ?? Math.floor(embeddingLength / headCount);
  const kvHeadCount = count(text["num_key_value_heads"]) ?? headCount;
  const window = text["use_sliding_window"] === false ? null : count(text["sliding_window"]);
  const kinds = asArray(text["layer_types"]);
  return {
    blockCount,
    embeddingLength,
    headCount,
    kvHeadCounts: Array.from({ length: blockCount }, () => kvHeadCount),
    keyLength: headLength,
    valueLength: headLength,
    vocabularySize: count(text["vocab_size"]),
    slidingWindow: window,
    slidingBlocks:
      kinds.length < blockCount
        ? null
        : kinds.slice(0, blockCount).map((kind) => kind === "sliding_attention"),
    cache: count(text["kv_lora_rank"]) === null ? "plain" : "compressed",
  };
}

function count(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
