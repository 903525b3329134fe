import { createHash } from "node:crypto";
import { appendFileSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { rename, symlink } from "node:fs/promises";

import { llamaFile } from "@cortex/test-models";
import { expect, test } from "vitest";

import { RegistryFolder } from "../registry-folder.ts";
import { importInto, inShort, write } from "./import-into.ts";

/** A part of a model of two parts, by its number from 0. */
function part(number: number): Buffer {
  const split = {
    "split.count": { type: "u16", value: 2 },
    "split.no": { type: "u16", value: number },
  } as const;
  return llamaFile(split, number);
}

test("a file becomes a model with what it says, and stays where it is", async () => {
  await using folder = await RegistryFolder.create();
  const content = llamaFile();
  write(folder, { "down loads/Tiny-Llama.Q4_K_M.gguf": content });
  const path = folder.at("down loads/Tiny-Llama.Q4_K_M.gguf");
  expect(inShort(await importInto(folder, ["down loads/Tiny-Llama.Q4_K_M.gguf"]))).toEqual([
    ["imported", "Tiny-Llama-1B-Chat:Q4_K_M"],
  ]);
  expect(await folder.registry.models.resolve("tiny-llama-1b-chat")).toMatchObject({
    modelId: "Tiny-Llama-1B-Chat:Q4_K_M",
    sourceType: "local",
    availability: "present",
    engine: "llama-cpp",
    format: "gguf",
    architecture: "llama",
    quantization: "Q4_K_M",
    parameterCount: 4928,
    contextLength: 2048,
    sizeBytes: content.length,
    capabilities: ["completion"],
    metadata: { name: "Tiny Llama 1B Chat", tokenizer: "gpt2/llama-bpe" },
  });
  expect(await folder.registry.files.list("tiny-llama-1b-chat")).toEqual([
    {
      path,
      role: "weights",
      sizeBytes: content.length,
      sha256: createHash("sha256").update(content).digest("hex"),
      verifiedAt: expect.any(Number) as number,
      source: null,
    },
  ]);
});

test("what is registered already is recognised by its content, wherever it lies", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "a/tiny.gguf": llamaFile(), "b/other-name.gguf": llamaFile() });
  const id = "Tiny-Llama-1B-Chat:Q4_K_M";
  expect(inShort(await importInto(folder, ["a", "b"]))).toEqual([
    ["imported", id],
    ["already_registered", id],
  ]);
  expect(inShort(await importInto(folder, ["a"]))).toEqual([["already_registered", id]]);
  expect((await folder.registry.files.list(id)).map(({ path }) => path)).toEqual([folder.at("a/tiny.gguf")]);
});

test("a model whose file was moved is found again", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "tiny.gguf": llamaFile() });
  await importInto(folder, ["tiny.gguf"]);
  const id = "Tiny-Llama-1B-Chat:Q4_K_M";
  await folder.registry.models.update(id, { availability: "missing", tags: ["kept"] });
  await rename(folder.at("tiny.gguf"), folder.at("moved.gguf"));
  expect(inShort(await importInto(folder, ["moved.gguf"]))).toEqual([["found_again", id]]);
  expect(await folder.registry.models.get(id)).toMatchObject({ availability: "present", tags: ["kept"] });
  expect((await folder.registry.files.list(id)).map(({ path }) => path)).toEqual([folder.at("moved.gguf")]);
});

test("a file that holds something else than what is recorded of it is refused", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "tiny.gguf": llamaFile() });
  await importInto(folder, ["tiny.gguf"]);
  write(folder, { "tiny.gguf": llamaFile({}, 1) });
  expect(inShort(await importInto(folder, ["tiny.gguf"]))).toEqual([["refused", "checksum_mismatch"]]);
});

test("folders are searched at any depth, and a damaged file keeps no other from coming in", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, {
    "all/a/b/c/d/deep.Q4_K_M.gguf": llamaFile({ "general.name": "Deep" }, 1),
    "all/bad.gguf": "GGML",
    "all/cut.gguf": llamaFile().subarray(0, 300),
    "all/readme.md": "# Models",
    "all/.hidden/x.gguf": llamaFile({ "general.name": "Hidden" }, 2),
  });
  await symlink(folder.at("all"), folder.at("all/a/loop"));
  expect(inShort(await importInto(folder, ["all"]))).toEqual([
    ["refused", "invalid_input"],
    ["refused", "invalid_input"],
    ["imported", "Deep:Q4_K_M"],
  ]);
});

test.for(["tiny.gguf.partial", "tiny.gguf.part"])(
  "what has arrived of a file so far is no model: %s",
  async (name) => {
    await using folder = await RegistryFolder.create();
    write(folder, { [name]: llamaFile() });
    expect(inShort(await importInto(folder, [name]))).toEqual([["refused", "invalid_input"]]);
    expect(await folder.registry.models.count()).toBe(0);
  },
);

test("a file whose name no registry can hold is to be renamed, and keeps no other from coming in", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "a/line\nbreak.gguf": llamaFile({}, 1), "a/whole.gguf": llamaFile({}, 2) });
  const noText = Buffer.concat([
    Buffer.from(folder.at("a/no-text-")),
    Buffer.from([0xff]),
    Buffer.from(".gguf"),
  ]);
  // Other systems take no such name.
  if (process.platform === "linux") writeFileSync(noText, llamaFile({}, 3));
  const results = await importInto(folder, ["a"], { dryRun: true });
  const refused = results.filter((result) => result.outcome === "refused");
  expect(refused).toHaveLength(process.platform === "linux" ? 2 : 1);
  for (const { error } of refused) {
    expect(error).toMatchObject({ code: "invalid_input", message: expect.stringContaining("Rename it") });
  }
  expect(results).toHaveLength(refused.length + 1);
});

test("the parts of a model are one model, and only together", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "big-00001-of-00002.gguf": part(0) });
  expect(inShort(await importInto(folder, ["big-00001-of-00002.gguf"]))).toEqual([
    ["refused", "invalid_input"],
  ]);
  write(folder, { "big-00002-of-00002.gguf": part(1) });
  // Whichever part is named.
  expect(inShort(await importInto(folder, ["big-00002-of-00002.gguf", "big-00001-of-00002.gguf"]))).toEqual([
    ["imported", "big:Q4_K_M"],
  ]);
  expect(await folder.registry.models.get("big:Q4_K_M")).toMatchObject({
    parameterCount: 2 * 4928,
    sizeBytes: part(0).length + part(1).length,
  });
  expect(await folder.registry.files.list("big")).toHaveLength(2);
});

test("a projector beside a model makes it see", async () => {
  await using folder = await RegistryFolder.create();
  const projector = llamaFile({ "general.architecture": "clip" }, 9);
  write(folder, {
    "tiny/tiny-Q4_K_M.gguf": llamaFile(),
    "tiny/mmproj-F16.gguf": projector,
    "mixed/gemma-Q4_K_M.gguf": llamaFile({ "general.name": "Gemma" }, 1),
    "mixed/other-Q4_K_M.gguf": llamaFile({ "general.name": "Other" }, 2),
    "mixed/gemma-mmproj-F16.gguf": projector,
  });
  await importInto(folder, ["tiny", "mixed"]);
  expect((await folder.registry.models.resolve("tiny-llama-1b-chat")).capabilities).toEqual([
    "completion",
    "vision",
  ]);
  const files = await folder.registry.files.list("tiny-llama-1b-chat");
  expect(files.map(({ role }) => role).toSorted()).toEqual(["mmproj", "weights"]);
  expect((await folder.registry.models.resolve("gemma")).capabilities).toEqual(["completion", "vision"]);
  expect((await folder.registry.models.resolve("other")).capabilities).toEqual(["completion"]);
  expect(inShort(await importInto(folder, ["tiny/mmproj-F16.gguf"]))).toEqual([["refused", "invalid_input"]]);
});

test("a dry run says the same and changes nothing", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "a.gguf": llamaFile(), "b.gguf": llamaFile() });
  const planned = await importInto(folder, ["a.gguf", "b.gguf"], { dryRun: true });
  expect(await folder.registry.models.count()).toBe(0);
  expect(inShort(await importInto(folder, ["a.gguf", "b.gguf"]))).toEqual(inShort(planned));
});

test("a name that somebody chose is for one model only", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "a.gguf": llamaFile({}, 1), "b.gguf": llamaFile({}, 2) });
  const model = { modelId: "mine", alias: "m", tags: ["chat"] };
  await expect(importInto(folder, ["a.gguf", "b.gguf"], { model })).rejects.toThrow(
    "cannot all have one name",
  );
  await importInto(folder, ["a.gguf"], { model });
  expect(await folder.registry.models.get("mine")).toMatchObject(model);
  expect(inShort(await importInto(folder, ["b.gguf"], { model }))).toEqual([["refused", "name_taken"]]);
  expect(inShort(await importInto(folder, ["b.gguf"]))).toEqual([["imported", "Tiny-Llama-1B-Chat:Q4_K_M"]]);
});

test("models of one name are told apart by a number", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, {
    "1/phi.gguf": llamaFile({}, 1),
    "2/phi.gguf": llamaFile({}, 2),
    "3/phi.gguf": llamaFile({}, 3),
  });
  const results = await importInto(folder, ["1", "2", "3"]);
  expect(results.map((result) => "model" in result && result.model)).toMatchObject([
    { modelId: "phi:Q4_K_M", alias: "phi" },
    { modelId: "phi:Q4_K_M-2", alias: "phi:q4_k_m-2" },
    { modelId: "phi:Q4_K_M-3", alias: "phi:q4_k_m-3" },
  ]);
});

test("a file that changes while it is read is refused", async () => {
  await using folder = await RegistryFolder.create();
  const changes = {
    "grows.gguf": (path: string) => appendFileSync(path, "more"),
    "is-written.gguf": (path: string) => utimesSync(path, 1, 1),
    "is-replaced.gguf": (path: string) => {
      writeFileSync(`${path}.new`, llamaFile({}, 9));
      renameSync(`${path}.new`, path);
    },
  };
  for (const [name, change] of Object.entries(changes)) {
    folder.write(name, llamaFile());
    const onProgress = (): void => change(folder.at(name));
    expect(inShort(await importInto(folder, [name], { onProgress })), name).toEqual([
      ["refused", "io_error"],
    ]);
  }
  expect(await folder.registry.models.count()).toBe(0);
});

test("what several bring in at once is one model", async () => {
  await using folder = await RegistryFolder.create();
  const names = ["a.gguf", "b.gguf", "c.gguf", "d.gguf"];
  for (const name of names) folder.write(name, llamaFile());
  const results = await Promise.all(names.map((name) => importInto(folder, [name])));
  const outcomes = results.flat().map(({ outcome }) => outcome);
  expect(outcomes.toSorted()).toEqual([
    "already_registered",
    "already_registered",
    "already_registered",
    "imported",
  ]);
  expect(await folder.registry.models.count()).toBe(1);
});

test("what was read to be recognised is read again only when it has changed", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "a.gguf": llamaFile(), "copy.gguf": llamaFile() });
  await importInto(folder, ["a.gguf"]);
  let reads = 0;
  const options = { onProgress: (): void => void reads++ };
  expect(inShort(await importInto(folder, ["copy.gguf"], options))).toEqual([
    ["already_registered", "Tiny-Llama-1B-Chat:Q4_K_M"],
  ]);
  expect(reads).toBe(1);
  await importInto(folder, ["copy.gguf"], options);
  expect(reads).toBe(1);
  write(folder, { "copy.gguf": llamaFile({}, 5) });
  expect(inShort(await importInto(folder, ["copy.gguf"], options))).toEqual([["imported", "copy:Q4_K_M"]]);
  expect(reads).toBe(2);
});
