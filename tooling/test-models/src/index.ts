export { ggufFile, type GgufOptions, type Tensor, type Value } from "./gguf-file.ts";
export { LLAMA_TENSORS, llama, llamaFile } from "./llama-file.ts";
export { safetensorsFile, type SafetensorsTensor } from "./safetensors-file.ts";
