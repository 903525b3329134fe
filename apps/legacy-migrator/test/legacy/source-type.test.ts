import { expect, test } from "vitest";

import { canonicalId, twinId } from "../../src/legacy/canonical-id.ts";
import { sourceTypeOf, type SourceSigns } from "../../src/legacy/source-type.ts";

const NOTHING: SourceSigns = {
  modelId: "x",
  author: null,
  branch: null,
  configPath: null,
  status: null,
  modelFormat: null,
  modelSource: null,
};

test.each<[string, Partial<SourceSigns>, string | undefined]>([
  ["an id of 2024", { modelId: "huggingface.co/A/R/f.gguf", author: "A", branch: "main" }, "huggingface"],
  ["an id of 1.0.0", { modelId: "A:R:f.gguf", author: "A", branch: "main" }, "huggingface"],
  ["its path", { configPath: "models/huggingface.co/A/R/f.yml" }, "huggingface"],
  [
    "a catalogue row",
    { modelFormat: "hf-gguf", status: "downloadable", modelSource: "https://huggingface.co/A/R" },
    "huggingface",
  ],
  ["its author", { modelId: "tiny:1b", author: "cortexso", branch: "1b" }, "cortex.so"],
  ["its path", { configPath: "/d/models/cortex.so/tiny/1b/model.yml" }, "cortex.so"],
  [
    "a catalogue row",
    { modelFormat: "cortexso", modelSource: "https://huggingface.co/cortexso/tiny", author: "x" },
    "cortex.so",
  ],
  ["a status of schema 1", { author: "cortexso", status: "remote" }, "cortex.so"],
  ["an import of 2024", { author: "local", branch: "imported" }, "local"],
  [
    "an import of 1.0.9",
    { author: "", branch: "imported", modelFormat: "local", modelSource: "imported" },
    "local",
  ],
  ["a copied import", { author: "", branch: "", modelFormat: "local", modelSource: "imported" }, "local"],
  ["an import whose name has colons", { modelId: "a:b:c", author: "local", branch: "imported" }, "local"],
  ["an API model", { modelFormat: "remote", modelSource: "imported", status: "remote" }, "remote"],
  ["its status alone", { status: "remote" }, "remote"],
  ["nothing", {}, undefined],
  ["an author that is not in the id", { modelId: "a:b:c", author: "z" }, undefined],
])("%s: %j is %s", (_what, signs, expected) => {
  expect(sourceTypeOf({ ...NOTHING, ...signs })).toBe(expected);
});

test("two spellings of one Hugging Face file are one model", () => {
  expect(canonicalId("huggingface.co/A/R/f.gguf")).toBe("A:R:f.gguf");
  expect(twinId("huggingface.co/A/R/f.gguf")).toBe("A:R:f.gguf");
  expect(twinId("A:R:f.gguf")).toBe("huggingface.co/A/R/f.gguf");
});

test.each([
  "tiny:1b",
  "huggingface.co/A/R",
  "huggingface.co/A/R/sub/f.gguf",
  "huggingface.co//R/f",
  "a:b:c:d",
  "plain",
])("%s has one spelling", (modelId) => {
  expect(canonicalId(modelId)).toBe(modelId);
  expect(twinId(modelId)).toBeUndefined();
});
