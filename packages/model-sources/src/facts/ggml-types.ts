/** How one type of tensor is stored: `blockBytes` for every `blockValues` values. */
export interface TensorType {
  readonly name: string;
  readonly blockValues: number;
  readonly blockBytes: number;
}

/**
 * The types of tensors by their number (`enum ggml_type` of `ggml.h`, with the sizes of the blocks in
 * `ggml-common.h`). The numbers left out were withdrawn, or stand for types that only exist while a model runs.
 */
export const TENSOR_TYPES: ReadonlyMap<number, TensorType> = new Map(
  (
    [
      [0, "F32", 1, 4],
      [1, "F16", 1, 2],
      [2, "Q4_0", 32, 18],
      [3, "Q4_1", 32, 20],
      [6, "Q5_0", 32, 22],
      [7, "Q5_1", 32, 24],
      [8, "Q8_0", 32, 34],
      [9, "Q8_1", 32, 36],
      [10, "Q2_K", 256, 84],
      [11, "Q3_K", 256, 110],
      [12, "Q4_K", 256, 144],
      [13, "Q5_K", 256, 176],
      [14, "Q6_K", 256, 210],
      [15, "Q8_K", 256, 292],
      [16, "IQ2_XXS", 256, 66],
      [17, "IQ2_XS", 256, 74],
      [18, "IQ3_XXS", 256, 98],
      [19, "IQ1_S", 256, 50],
      [20, "IQ4_NL", 32, 18],
      [21, "IQ3_S", 256, 110],
      [22, "IQ2_S", 256, 82],
      [23, "IQ4_XS", 256, 136],
      [24, "I8", 1, 1],
      [25, "I16", 1, 2],
      [26, "I32", 1, 4],
      [27, "I64", 1, 8],
      [28, "F64", 1, 8],
      [29, "IQ1_M", 256, 56],
      [30, "BF16", 1, 2],
      [34, "TQ1_0", 256, 54],
      [35, "TQ2_0", 256, 66],
      [39, "MXFP4", 32, 17],
    ] as const
  ).map(([number, name, blockValues, blockBytes]) => [number, { name, blockValues, blockBytes }]),
);

/** A way in which a whole file is quantized. */
export interface FileType {
  readonly name: string;
  /** The types of which the matrices of such a file mostly are. */
  readonly matrices: readonly string[];
}

/** What `general.file_type` says, by its number (`enum llama_ftype` of `llama.h`). */
export const FILE_TYPES: ReadonlyMap<number, FileType> = new Map(
  (
    [
      [0, "F32", "F32"],
      [1, "F16", "F16"],
      [2, "Q4_0", "Q4_0"],
      [3, "Q4_1", "Q4_1"],
      [7, "Q8_0", "Q8_0"],
      [8, "Q5_0", "Q5_0"],
      [9, "Q5_1", "Q5_1"],
      [10, "Q2_K", "Q2_K", "Q3_K"],
      [11, "Q3_K_S", "Q3_K"],
      [12, "Q3_K_M", "Q3_K"],
      [13, "Q3_K_L", "Q3_K"],
      [14, "Q4_K_S", "Q4_K"],
      [15, "Q4_K_M", "Q4_K"],
      [16, "Q5_K_S", "Q5_K"],
      [17, "Q5_K_M", "Q5_K"],
      [18, "Q6_K", "Q6_K"],
      [19, "IQ2_XXS", "IQ2_XXS"],
      [20, "IQ2_XS", "IQ2_XS"],
      [21, "Q2_K_S", "Q2_K"],
      [22, "IQ3_XS", "IQ3_XXS", "IQ3_S"],
      [23, "IQ3_XXS", "IQ3_XXS"],
      [24, "IQ1_S", "IQ1_S"],
      [25, "IQ4_NL", "IQ4_NL"],
      [26, "IQ3_S", "IQ3_S"],
      [27, "IQ3_M", "IQ3_S"],
      [28, "IQ2_S", "IQ2_XS", "IQ2_S"],
      [29, "IQ2_M", "IQ2_S"],
      [30, "IQ4_XS", "IQ4_XS"],
      [31, "IQ1_M", "IQ1_M"],
      [32, "BF16", "BF16"],
      [36, "TQ1_0", "TQ1_0"],
      [37, "TQ2_0", "TQ2_0"],
      [38, "MXFP4_MOE", "MXFP4", "Q8_0"],
    ] as const
  ).map(([number, name, ...matrices]) => [number, { name, matrices }]),
);
