import { join } from "node:path";

import { writeTo, type Content } from "./content.ts";

/** Adds a model to a data folder of Jan. @returns where its weights are */
export function addToJan(
  data: string,
  modelId: string,
  content: Content,
  said: Readonly<Record<string, string | number>> = {},
): string {
  const folder = join("llamacpp", "models", ...modelId.split("/"));
  const weights = join(data, folder, "model.gguf");
  content.write(weights);
  const fields = {
    embedding: "false",
    model_path: `${folder}/model.gguf`,
    name: modelId.split("/").at(-1)!,
    size_bytes: content.sizeBytes,
    ...said,
  };
  const yml = Object.entries(fields).map(([key, value]) => `${key}: ${value}\n`);
  writeTo(join(data, folder, "model.yml"), yml.join(""));
  return weights;
}

/**
 * Adds a model to a data folder of the old cortex program, as its last release wrote it.
 *
 * @param path of the weights, below `models`; the YAML file is beside it.
 * @param yml its name.
 * @returns where its weights are.
 */
export function addToCortexCpp(
  data: string,
  model: string,
  path: string,
  yml: string,
  content: Content,
): string {
  const weights = join(data, "models", ...path.split("/"));
  content.write(weights);
  writeTo(
    join(weights, "..", yml),
    `# BEGIN GENERAL GGUF METADATA
id: ${model} # Model ID unique between models (author / quantization)
model: ${model}
name: ${model}
version: 1
files:             # Can be relative OR absolute local file path
  - models/${path}
# END GENERAL GGUF METADATA

# BEGIN INFERENCE PARAMETERS
# BEGIN REQUIRED
stop:                # tokens to stop generation
  - <|end_of_text|>
  - <|eot_id|>
# END REQUIRED

# BEGIN OPTIONAL
size: ${content.sizeBytes}
stream: true # Default true?
top_p: 0.899999976 # Ranges: 0 to 1
temperature: 0.699999988 # Ranges: 0 to 1
# END OPTIONAL
# END INFERENCE PARAMETERS

# BEGIN MODEL LOAD PARAMETERS
# BEGIN REQUIRED
engine: llama-cpp # engine to run model
prompt_template: "<|user|>\\n{prompt}</s>\\n<|assistant|>"
# END REQUIRED

# BEGIN OPTIONAL
ctx_len: 2048 # llama.context_length | 0 or undefined = loaded from model
ngl: 33 # Undefined = loaded from model
# END OPTIONAL
# END MODEL LOAD PARAMETERS
`,
  );
  return weights;
}
