/** What a file is for: only a `model` is one by itself. */
export type FileKind = "model" | "projector" | "adapter" | "vocabulary" | "other";

/** What a model file says about itself. `null` is "it does not say", or "that was not read". */
export interface ModelFacts {
  readonly kind: FileKind;
  readonly format: "gguf" | "safetensors" | "mlx";
  readonly architecture: string | null;
  /** The name that whoever made the file gave it. */
  readonly name: string | null;
  /** E.g. `Q4_K_M`. */
  readonly quantization: string | null;
  readonly parameterCount: number | null;
  /** Tokens. */
  readonly contextLength: number | null;
  /** In the order in which they are shown; without what files beside it bring. */
  readonly capabilities: readonly string[];
  /** The text of the chat template. */
  readonly chatTemplate: string | null;
  /** E.g. `gpt2/llama-bpe`: the kind of tokenizer, and how it splits text. */
  readonly tokenizer: string | null;
  readonly license: string | null;
  /** Which part it is of a model that was split, from 1, and of how many. */
  readonly part: { readonly number: number; readonly count: number } | null;
  /** What decides how much memory it takes to run. */
  readonly dimensions: ModelDimensions | null;
  /** Of a projector: the embedding length of the models that it is for. */
  readonly projectsTo: number | null;
  /** Whether all of the header was read. */
  readonly complete: boolean;
}

/** The sizes inside a model that decide how much memory it takes. */
export interface ModelDimensions {
  readonly blockCount: number;
  readonly embeddingLength: number;
  readonly headCount: number;
  /** Heads of keys and values of each block: 0 where a block keeps none. */
  readonly kvHeadCounts: readonly number[];
  /** Numbers that a head keeps for each token: of the key, and of the value. */
  readonly keyLength: number;
  readonly valueLength: number;
  readonly vocabularySize: number | null;
  /** How far blocks with a sliding window see, in tokens; `null` where every block sees everything. */
  readonly slidingWindow: number | null;
  /** Of each block whether it has that window; `null` where the file does not say which. */
  readonly slidingBlocks: readonly boolean[] | null;
  /** What a plain cache of keys and values is not all of: it is compressed, or there is a state beside it. */
  readonly cache: "plain" | "compressed" | "with state";
}
