import type { ModelFacts } from "./model-facts.ts";
import type { SafetensorsHeader, SafetensorsTensor } from "./safetensors-header.ts";
import { capabilitiesOf, type TransformersConfig } from "./transformers-config.ts";

/** What lies beside the weights of a model and tells what it is. */
export interface BesideWeights {
  /** The name of the folder. */
  readonly folderName: string;
  /** `config.json`, parsed. */
  readonly config: TransformersConfig;
  readonly configJson: unknown;
  readonly chatTemplate: string | null;
  readonly tokenizer: string | null;
  /** A file says that vectors are pooled, as sentence-transformers writes it. */
  readonly isEmbedder: boolean;
}

/**
 * What a model of safetensors files is, in a folder as Hugging Face's or as MLX writes it.
 *
 * @param headers of all parts of its weights.
 */
export function safetensorsFacts(headers: readonly SafetensorsHeader[], beside: BesideWeights): ModelFacts {
  const { config } = beside;
  const tensors = headers.flatMap((header) => header.tensors);
  const isMlx = config.isMlx || headers.some(({ notes }) => notes["format"] === "mlx");
  return {
    kind: tensors.length === 0 ? "other" : "model",
    format: isMlx ? "mlx" : "safetensors",
    architecture: config.architecture,
    name: beside.folderName,
    quantization: config.quantization?.name ?? mainType(tensors),
    parameterCount: parametersOf(tensors, config.quantization),
    contextLength: config.contextLength,
    capabilities: capabilitiesOf(beside.configJson, beside.chatTemplate, beside.isEmbedder),
    chatTemplate: beside.chatTemplate,
    tokenizer: beside.tokenizer,
    license: null,
    part: null,
    dimensions: config.dimensions,
    projectsTo: null,
    complete: true,
  };
}

function mainType(tensors: readonly SafetensorsTensor[]): string | null {
  const counts = new Map<string, number>();
  for (const { type, count } of tensors) counts.set(type, (counts.get(type) ?? 0) + count);
  let main: [type: string, count: number] | undefined;
  for (const entry of counts) if (main === undefined || entry[1] > main[1]) main = entry;
  return main?.[0] ?? null;
}

/**
 * Quantized numbers are packed into integers, and their scales stand beside them. How MLX packs them is known, others
 * do it in many ways.
 */
function parametersOf(
  tensors: readonly SafetensorsTensor[],
  quantization: TransformersConfig["quantization"],
): number | null {
  const packed = tensors.filter(({ type }) => type === "U32" || type === "I32");
  if (packed.length === 0) return tensors.reduce((sum, { count }) => sum + count, 0);
  if (quantization?.bits == null || quantization.bits === 0 || packed.some(({ type }) => type === "I32"))
    return null;
  const { bits } = quantization;
  const names = new Set(packed.map(({ name }) => name.replace(/\.weight$/, "")));
  return tensors.reduce((sum, { name, type, count }) => {
    if (type === "U32") return sum + Math.floor((count * 32) / bits);
    return names.has(name.replace(/\.(?:scales|biases)$/, "")) ? sum : sum + count;
  }, 0);
}
