import { safetensorsFile } from "@cortex/test-models";
import { expect, test } from "vitest";

import { fitOfModel } from "../../src/facts/fit-of-model.ts";
import { RegistryFolder } from "../registry-folder.ts";
import { importInto, inShort, write } from "./import-into.ts";

const CONFIG = {
  model_type: "llama",
  architectures: ["LlamaForCausalLM"],
  max_position_embeddings: 8192,
  num_hidden_layers: 2,
  hidden_size: 64,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 100,
};
const TEMPLATE = "{% if tools %}{{ tools }}{% endif %}";

function weights(count: number): Buffer {
  return safetensorsFile({ "model.embed.weight": { type: "BF16", shape: [count], bytes: count * 2 } });
}

/** The files of a small model as Hugging Face's repositories have them. */
function folderOf(
  config: object,
  files: Readonly<Record<string, Buffer | string>>,
): Record<string, Buffer | string> {
  return {
    "config.json": JSON.stringify(config),
    "tokenizer_config.json": JSON.stringify({ tokenizer_class: "LlamaTokenizer", chat_template: TEMPLATE }),
    "tokenizer.json": "{}",
    "README.md": "# Tiny",
    ...files,
  };
}

function below(
  folder: string,
  files: Readonly<Record<string, Buffer | string>>,
): Record<string, Buffer | string> {
  return Object.fromEntries(Object.entries(files).map(([name, content]) => [`${folder}/${name}`, content]));
}

test("a folder with safetensors files is one model with all that runs it", async () => {
  await using folder = await RegistryFolder.create();
  const files = folderOf(CONFIG, {
    "model-00001-of-00002.safetensors": weights(1000),
    "model-00002-of-00002.safetensors": weights(500),
    "model.fp32.safetensors": weights(10),
  });
  write(folder, below("Tiny-Chat", files));
  expect(inShort(await importInto(folder, ["Tiny-Chat"]))).toEqual([["imported", "Tiny-Chat:BF16"]]);
  expect(await folder.registry.models.resolve("tiny-chat")).toMatchObject({
    format: "safetensors",
    architecture: "llama",
    quantization: "BF16",
    parameterCount: 1500,
    contextLength: 8192,
    capabilities: ["completion", "tools"],
    engine: null,
  });
  const recorded = await folder.registry.files.list("tiny-chat");
  expect(recorded.map(({ path, role }) => [path.split("/").at(-1), role])).toEqual([
    ["config.json", "config"],
    ["model-00001-of-00002.safetensors", "weights"],
    ["model-00002-of-00002.safetensors", "weights"],
    ["tokenizer.json", "tokenizer"],
    ["tokenizer_config.json", "tokenizer"],
  ]);
  expect(inShort(await importInto(folder, ["Tiny-Chat/model-00002-of-00002.safetensors"]))).toEqual([
    ["already_registered", "Tiny-Chat:BF16"],
  ]);
});

test("a folder of MLX is known by its configuration, and what is packed in it is counted", async () => {
  await using folder = await RegistryFolder.create();
  const packed = safetensorsFile(
    {
      // 64 x 64 numbers of four bits, a scale and a bias for each 64 of them.
      "layer.weight": { type: "U32", shape: [64, 8], bytes: 64 * 8 * 4 },
      "layer.scales": { type: "BF16", shape: [64, 1], bytes: 128 },
      "layer.biases": { type: "BF16", shape: [64, 1], bytes: 128 },
      "norm.weight": { type: "BF16", shape: [64], bytes: 128 },
    },
    { format: "mlx" },
  );
  const config = { ...CONFIG, quantization: { group_size: 64, bits: 4 }, vision_config: {} };
  write(folder, below("Tiny-4bit", folderOf(config, { "model.safetensors": packed })));
  expect(inShort(await importInto(folder, ["."]))).toEqual([["imported", "Tiny-4bit"]]);
  expect(await folder.registry.models.get("Tiny-4bit")).toMatchObject({
    format: "mlx",
    quantization: "4bit",
    parameterCount: 64 * 64 + 64,
    capabilities: ["completion", "tools", "vision"],
  });
});

test("the memory that such a model takes follows from its configuration", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, below("Tiny-Chat", folderOf(CONFIG, { "model.safetensors": weights(1000) })));
  await importInto(folder, ["Tiny-Chat"]);
  const model = await folder.registry.models.resolve("tiny-chat");
  const files = await folder.registry.files.list("tiny-chat");
  const fit = await fitOfModel(model, files, folder.registry.location, 256);
  expect(fit.kvCacheBytes?.f16).toBe(256 * 2 * 2 * 32 * 2);
  expect(fit.caveats.join(" ")).toContain("those of llama.cpp");
});

test("an embedder, and other ways to quantize, are known", async () => {
  await using folder = await RegistryFolder.create();
  const bert = { ...CONFIG, model_type: "bert", architectures: ["BertModel"] };
  const awq = { ...CONFIG, quantization_config: { quant_method: "awq", bits: 4 } };
  const qweight = safetensorsFile({ q: { type: "I32", shape: [8], bytes: 32 } });
  write(folder, {
    ...below("embedder", folderOf(bert, { "model.safetensors": weights(1) })),
    ...below("sentences", folderOf(CONFIG, { "model.safetensors": weights(2), "modules.json": "[]" })),
    ...below("quantized", folderOf(awq, { "model.safetensors": qweight })),
  });
  await importInto(folder, ["."]);
  expect((await folder.registry.models.resolve("embedder")).capabilities).toEqual(["embedding"]);
  expect((await folder.registry.models.resolve("sentences")).capabilities).toEqual(["embedding"]);
  expect(await folder.registry.models.resolve("quantized")).toMatchObject({
    quantization: "AWQ-4bit",
    parameterCount: null,
  });
});

test("what is not whole, damaged or no model does not come in", async () => {
  await using folder = await RegistryFolder.create();
  const model = weights(100);
  const long = Buffer.from(model);
  long.writeBigUInt64LE(2n ** 60n);
  const beyond = safetensorsFile({ a: { type: "F32", shape: [10], bytes: 40 } }).subarray(0, -8);
  const more = safetensorsFile({ a: { type: "F32", shape: [2 ** 40], bytes: 40 } });
  write(folder, {
    ...below("a-parts", folderOf(CONFIG, { "model-00001-of-00002.safetensors": model })),
    ...below("b-cut", folderOf(CONFIG, { "model.safetensors": model.subarray(0, 20) })),
    ...below("c-long", folderOf(CONFIG, { "model.safetensors": long })),
    ...below("d-beyond", folderOf(CONFIG, { "model.safetensors": beyond })),
    ...below("e-more", folderOf(CONFIG, { "model.safetensors": more })),
    ...below("f-no-json", { "config.json": "{", "model.safetensors": model }),
    // A part of a diffusion pipeline, and an adapter.
    ...below("g-unet", { "config.json": "{}", "model.safetensors": model }),
    ...below("h-adapter", { "adapter_config.json": "{}", "adapter_model.safetensors": model }),
  });
  expect(inShort(await importInto(folder, ["."]))).toEqual(
    Array.from({ length: 6 }, () => ["refused", "invalid_input"]),
  );
  for (const named of ["g-unet/model.safetensors", "h-adapter/adapter_model.safetensors"]) {
    expect(inShort(await importInto(folder, [named]))).toEqual([["refused", "invalid_input"]]);
  }
  expect(await folder.registry.models.count()).toBe(0);
});
