import { ggufFile, LLAMA_TENSORS, llama, llamaFile, type Value } from "@cortex/test-models";
import { expect, test } from "vitest";

import { readGgufFacts } from "../../src/facts/gguf-facts.ts";
import type { ModelFacts } from "../../src/facts/model-facts.ts";
import { BufferSource } from "./buffer-source.ts";

function factsOf(bytes: Buffer, name = "a.gguf"): Promise<ModelFacts> {
  return readGgufFacts(new BufferSource(bytes), name);
}

async function kindOf(bytes: Buffer): Promise<string> {
  return (await factsOf(bytes)).kind;
}

async function quantizationWith(fileType: number, name = "a.gguf"): Promise<string | null> {
  return (await factsOf(llamaFile({ "general.file_type": fileType }), name)).quantization;
}

async function capabilitiesWith(values: Readonly<Record<string, Value>>): Promise<readonly string[]> {
  return (await factsOf(llamaFile(values))).capabilities;
}

test("a model file says what it is", async () => {
  expect(await factsOf(llamaFile({ "general.license": "mit" }))).toEqual({
    kind: "model",
    format: "gguf",
    architecture: "llama",
    name: "Tiny Llama 1B Chat",
    quantization: "Q4_K_M",
    parameterCount: 64 * 4 + 256 * 16 + 256 * 2 + 64,
    contextLength: 2048,
    capabilities: ["completion"],
    chatTemplate: "{% for message in messages %}{{ message.content }}{% endfor %}",
    tokenizer: "gpt2/llama-bpe",
    license: "mit",
    part: null,
    dimensions: {
      blockCount: 2,
      embeddingLength: 64,
      headCount: 4,
      kvHeadCounts: [2, 2],
      keyLength: 16,
      valueLength: 16,
      vocabularySize: 4,
      slidingWindow: null,
      slidingBlocks: null,
      cache: "plain",
    },
    projectsTo: null,
    complete: true,
  });
});

test("what a file does not say is not known", async () => {
  const facts = await factsOf(ggufFile({ "general.architecture": "llama" }, LLAMA_TENSORS));
  expect(facts).toMatchObject({
    name: null,
    contextLength: null,
    chatTemplate: null,
    tokenizer: null,
    dimensions: null,
  });
});

test("what it can do follows from how it is built, and from its template", async () => {
  expect(
    await capabilitiesWith({
      "tokenizer.chat_template": "{%- if tools is not none %}{{ tools }}{% endif %}",
    }),
  ).toEqual(["completion", "tools"]);
  expect(await capabilitiesWith({ "tokenizer.chat_template": "It has tools, but {{ messages }}" })).toEqual([
    "completion",
  ]);
  expect(await capabilitiesWith({ "general.architecture": "nomic-bert" })).toEqual(["embedding"]);
  expect(await capabilitiesWith({ "llama.pooling_type": 3 })).toEqual(["embedding"]);
  expect(await capabilitiesWith({ "llama.attention.causal": false })).toEqual(["embedding"]);
  expect(await capabilitiesWith({ "llama.pooling_type": 4 })).toEqual(["rerank"]);
});

test("a quantization that the tensors contradict is not believed", async () => {
  expect(await quantizationWith(14)).toBe("Q4_K_S");
  // Guessed when the file was made, and right.
  expect(await quantizationWith(1024 + 15)).toBe("Q4_K_M");
  // Q8_0, which no matrix is.
  expect(await quantizationWith(7)).toBe("Q4_K");
  expect(await quantizationWith(7, "tiny.Q4_K_S.gguf")).toBe("Q4_K_S");
  expect(await quantizationWith(7, "tiny.Q5_K_M.gguf")).toBe("Q4_K");
  expect(await quantizationWith(7, "tiny-UD-Q4_K_XL.gguf")).toBe("UD-Q4_K_XL");
});

test("projectors, adapters and vocabularies are no models", async () => {
  expect(await kindOf(llamaFile({ "general.architecture": "clip" }))).toBe("projector");
  expect(await kindOf(llamaFile({ "general.type": "adapter" }))).toBe("adapter");
  expect(await kindOf(llamaFile({ "general.type": "imatrix" }))).toBe("other");
  expect(await kindOf(ggufFile(llama()))).toBe("vocabulary");
});

test("a projector says which senses it brings", async () => {
  const clip = { "general.architecture": "clip", "clip.vision.projection_dim": 64 };
  expect(await factsOf(llamaFile(clip))).toMatchObject({ capabilities: ["vision"], projectsTo: 64 });
  const hearing = { ...clip, "clip.has_vision_encoder": false, "clip.has_audio_encoder": true };
  expect((await factsOf(llamaFile(hearing))).capabilities).toEqual(["audio"]);
});

test("heads that differ by block are all known", async () => {
  const heads = { "llama.attention.head_count_kv": { list: "i32", items: [2, 0] } } as const;
  expect((await factsOf(llamaFile(heads))).dimensions?.kvHeadCounts).toEqual([2, 0]);
});
