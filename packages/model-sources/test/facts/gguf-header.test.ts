import { isRegistryError } from "@cortex/model-db";
import { ggufFile, LLAMA_TENSORS, llama, llamaFile, type Tensor, type Value } from "@cortex/test-models";
import { expect, test } from "vitest";

import { readGgufHeader } from "../../src/facts/gguf-header.ts";
import { BufferSource } from "./buffer-source.ts";

const TERABYTES = 2 ** 43;

/** What a file of some size that begins with these bytes is refused for, and how much of it was read. */
async function refusal(
  bytes: Buffer,
  sizeBytes = bytes.length,
): Promise<{ message: string; bytesRead: number }> {
  const source = new BufferSource(bytes, { sizeBytes });
  try {
    await readGgufHeader(source);
  } catch (error) {
    if (isRegistryError(error) && error.code === "invalid_input") {
      return { message: error.message, bytesRead: source.bytesRead };
    }
    throw error;
  }
  throw new Error("It was read without a complaint.");
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** A header with one value, of which only the beginning is there. */
function cut(value: Value, keep: number): Buffer {
  const whole = ggufFile({ key: value });
  return whole.subarray(0, whole.length - keep);
}

function withTensor(tensor: Partial<Tensor>): Buffer {
  return ggufFile(llama(), [{ name: "a", shape: [32], type: 0, bytes: 128, ...tensor }]);
}

test("what is no GGUF file, or of another version or machine, is refused", async () => {
  expect((await refusal(Buffer.from("GGML and so on, and so on"))).message).toContain("is no GGUF file");
  expect((await refusal(Buffer.alloc(0))).message).toContain("is no GGUF file");
  expect((await refusal(ggufFile({}, [], { version: 1 }))).message).toContain("of version 1");
  expect((await refusal(ggufFile({}, [], { version: 0x0300_0000 }))).message).toContain("big-endian");
});

test("counts and lengths that a file has no room for are refused, and nothing is read for them", async () => {
  const claims: [Buffer, string][] = [
    [ggufFile({}, [], { keyCount: 2n ** 60n }), "1,152,921,504,606,847,000 values"],
    [ggufFile({}, [], { keyCount: 2n ** 64n - 1n }), "values"],
    [ggufFile({}, [], { tensorCount: 2n ** 60n }), "tensors"],
    // A text of terabytes, as a key and as a value.
    [Buffer.concat([ggufFile({}, [], { keyCount: 1n }), u64(TERABYTES)]), "a key"],
    [Buffer.concat([cut("", 8), u64(TERABYTES)]), "goes on for 8,796,093,022,208 bytes"],
    [Buffer.concat([cut({ list: "u8", items: [] }, 8), u64(TERABYTES)]), "goes on for"],
    [Buffer.concat([cut({ list: "text", items: [] }, 8), u64(TERABYTES)]), "a list of"],
    [Buffer.concat([cut({ list: "list", items: [] }, 8), u64(TERABYTES)]), "a list of"],
  ];
  for (const [bytes, why] of claims) {
    const { message, bytesRead } = await refusal(Buffer.concat([bytes, Buffer.alloc(1000)]), 10_000_000);
    expect(message).toContain(why);
    expect(bytesRead).toBeLessThan(70_000);
  }
});

test("a file that ends at any byte of its header, or of its tensors, is refused", async () => {
  const whole = llamaFile();
  for (let length = 0; length < whole.length; length++) {
    expect((await refusal(whole.subarray(0, length))).message).toMatch(/is cut short|is no GGUF file/);
  }
  expect((await readGgufHeader(new BufferSource(whole))).complete).toBe(true);
});

test("lists in lists go only so deep", async () => {
  const nested = (depth: number): Value =>
    depth === 0 ? { list: "u8", items: [1] } : { list: "list", items: [nested(depth - 1)] };
  // The writer puts type and length before each list, as the format has it.
  expect((await readGgufHeader(new BufferSource(ggufFile({ a: nested(1) })))).complete).toBe(true);
  expect((await refusal(ggufFile({ a: nested(8) }))).message).toContain("lists in lists");
});

test("tensors that overlap, or are larger than any file, are refused", async () => {
  expect((await refusal(withTensor({ shape: [2 ** 32, 2 ** 31] }))).message).toContain(
    "larger than any file",
  );
  expect((await refusal(withTensor({ shape: [33] }))).message).toContain("is cut short");
  // A type that nobody knows: a bit for each number is the least.
  expect((await refusal(withTensor({ shape: [128 * 8 + 8], type: 99 }))).message).toContain("overlap");
  const same = LLAMA_TENSORS.map((tensor) => ({ ...tensor, bytes: 0 }));
  expect((await refusal(ggufFile(llama(), [...same, ...LLAMA_TENSORS]))).message).toContain("overlap");
});

test("a key that stands there twice is refused", async () => {
  const once = ggufFile({ a: 1 });
  const twice = Buffer.concat([once, once.subarray(24)]);
  twice.writeBigUInt64LE(2n, 16);
  expect((await refusal(twice)).message).toContain('says "a" twice');
});

test("a vocabulary is passed over: of lists of numbers nothing is read, of texts a chunk at a time", async () => {
  const tokens = Array.from({ length: 100_000 }, (_, index) => `token ${index}`);
  const scores = Array.from({ length: 100_000 }, () => 0);
  const bytes = llamaFile({
    "tokenizer.ggml.tokens": { list: "text", items: tokens },
    "tokenizer.ggml.scores": { list: "f32", items: scores },
    "tokenizer.ggml.token_type": { list: "i32", items: scores },
  });
  const source = new BufferSource(bytes);
  const header = await readGgufHeader(source);
  expect(header.listLengths.get("tokenizer.ggml.tokens")).toBe(100_000);
  expect(header.tensors?.count).toBe(LLAMA_TENSORS.length);
  expect(source.bytesRead).toBeLessThan(bytes.length - 700_000);

  // Far away, or one of many: what matters comes first.
  const far = new BufferSource(bytes, { chunkBytes: 4096 });
  const beginning = await readGgufHeader(far, 16_384);
  expect(far.bytesRead).toBeLessThanOrEqual(16_384);
  expect(beginning).toMatchObject({ complete: false, tensors: undefined });
  expect(beginning.values.get("llama.context_length")).toBe(2048);
});

test("every type of value is read as it was written", async () => {
  const values: Record<string, Value> = {
    u8: { type: "u8", value: 255 },
    i8: { type: "i8", value: -128 },
    u16: { type: "u16", value: 65_535 },
    i16: { type: "i16", value: -32_768 },
    u32: { type: "u32", value: 2 ** 32 - 1 },
    i32: { type: "i32", value: -(2 ** 31) },
    u64: { type: "u64", value: 2 ** 53 - 1 },
    i64: { type: "i64", value: -(2 ** 53) + 1 },
    f32: { type: "f32", value: 0.5 },
    f64: { type: "f64", value: Math.PI },
  };
  const header = await readGgufHeader(
    new BufferSource(ggufFile({ ...values, bool: true, text: "é", list: { list: "i16", items: [1, -1] } }), {
      chunkBytes: 1,
    }),
  );
  for (const [key, value] of Object.entries(values)) {
    expect(header.values.get(key)).toBe((value as { value: number }).value);
  }
  expect(header.values.get("bool")).toBe(true);
  expect(header.values.get("text")).toBe("é");
  expect(header.values.get("list")).toEqual([1, -1]);
});
