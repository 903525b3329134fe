// The names of llama.cpp's file types (`llama_ftype` in its include/llama.h), and `UD-` as some publishers mix them.
const QUANTIZATION =
  /(?<![A-Za-z0-9])((?:UD-)?(?:I?Q[1-8]_[A-Z0-9]+(?:_[A-Z0-9]{1,2})*|TQ[12]_0|MXFP4(?:_MOE)?|NVFP4|BF16|F16|FP16|F32|FP32))(?![A-Za-z0-9])/gi;

/**
 * The quantization that a file's name says, as in `tinyllama.Q4_K_M.gguf`; the last where it says several.
 *
 * @param path a file's path, with `/` between its parts: some keep each quantization in a folder of its name.
 * @returns in capitals; `null` where it says none.
 */
export function quantizationIn(path: string): string | null {
  const [, found] = [...path.matchAll(QUANTIZATION)].at(-1) ?? [];
  return found?.toUpperCase().replace(/^FP(?=16|32)/, "F") ?? null;
}
