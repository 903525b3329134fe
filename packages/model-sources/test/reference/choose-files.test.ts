import { describe, expect, test } from "vitest";

import type { RemoteFile, RemoteModel } from "../../src/hub/remote-model.ts";
import { chooseFiles, type Candidate } from "../../src/reference/choose-files.ts";
import { parseReference } from "../../src/reference/model-reference.ts";

function remoteModel(
  paths: readonly string[],
  sourceType: RemoteModel["sourceType"] = "huggingface",
): RemoteModel {
  const files = paths.map((path): RemoteFile => ({
    path,
    sizeBytes: 10,
    sha256: null,
    gitSha1: null,
    url: `https://hub/${path}`,
    etag: null,
  }));
  return { sourceType, repo: "org/repo", branch: "main", commit: "0".repeat(40), files };
}

async function chosen(paths: readonly string[], text: string): Promise<string[]> {
  const files = await chooseFiles(remoteModel(paths), parseReference(text));
  return files.map(({ file, role }) => `${role} ${file.path}`);
}

const QUANTIZED = ["README.md", "m.Q2_K.gguf", "m.Q8_0.gguf", "m.Q4_K_M.gguf", "m.IQ3_XXS.gguf"];

const neverAsked = (): never => expect.unreachable();

describe("of several files", () => {
  test.for([
    ["the named one", QUANTIZED, "org/repo/m.Q2_K.gguf", "m.Q2_K.gguf"],
    ["the asked quantization, in any case", QUANTIZED, "org/repo:iq3_xxs", "m.IQ3_XXS.gguf"],
    ["Q4_K_M", QUANTIZED, "org/repo", "m.Q4_K_M.gguf"],
    ["else Q8_0", ["m.Q2_K.gguf", "m.Q8_0.gguf"], "org/repo", "m.Q8_0.gguf"],
    ["else the first", ["z.Q2_K.gguf", "b.Q3_K_S.gguf"], "org/repo", "b.Q3_K_S.gguf"],
    ["the asked one by its folder", ["BF16/m.gguf", "Q6_K/m.gguf"], "org/repo:Q6_K", "Q6_K/m.gguf"],
    ["a mix", ["m-UD-Q4_K_XL.gguf", "m-Q4_K_S.gguf"], "org/repo:UD-Q4_K_XL", "m-UD-Q4_K_XL.gguf"],
    ["FP16, which is F16", ["m-fp16.gguf", "m-q8_0.gguf"], "org/repo:F16", "m-fp16.gguf"],
  ] as const)("%s is taken", async ([, paths, text, expected]) => {
    expect(await chosen(paths, text)).toEqual([`weights ${expected}`]);
  });

  test("a person chooses, shown first what would be taken unasked", async () => {
    let shown: readonly Candidate[] = [];
    const ask = async (candidates: readonly Candidate[]): Promise<Candidate | undefined> => {
      shown = candidates;
      return candidates.find(({ quantization }) => quantization === "Q2_K");
    };
    const files = await chooseFiles(remoteModel(QUANTIZED), parseReference("org/repo"), ask);
    expect(files.map(({ file }) => file.path)).toEqual(["m.Q2_K.gguf"]);
    expect(shown.map(({ quantization }) => quantization)).toEqual(["Q4_K_M", "IQ3_XXS", "Q2_K", "Q8_0"]);
  });

  test("nobody is asked what was said, or where there is one", async () => {
    const said = await chooseFiles(remoteModel(QUANTIZED), parseReference("org/repo:Q2_K"), neverAsked);
    const only = await chooseFiles(remoteModel(["a.gguf"]), parseReference("org/repo"), neverAsked);
    expect([...said, ...only].map(({ file }) => file.path)).toEqual(["m.Q2_K.gguf", "a.gguf"]);
  });

  test("one that is not there is named, with what is", async () => {
    await expect(chosen(QUANTIZED, "org/repo:Q4_K_L")).rejects.toMatchObject({
      code: "not_found",
      message: expect.stringContaining("Did you mean Q4_K_M?"),
    });
    await expect(chosen(QUANTIZED, "org/repo/none.gguf")).rejects.toMatchObject({ code: "not_found" });
    await expect(chosen(["README.md"], "org/repo")).rejects.toMatchObject({ code: "not_found" });
  });
});

test.for(["../../etc/a.gguf", "/etc/a.gguf", "a\\..\\b.gguf", "con/a.gguf", "a\u0000.gguf"])(
  "a file that is named %j is refused, and one that nobody wants is not looked at",
  async (path) => {
    await expect(chosen([path], "org/repo")).rejects.toMatchObject({ code: "invalid_input" });
    expect(await chosen([`${path}.png`, "a.gguf"], "org/repo")).toEqual(["weights a.gguf"]);
  },
);

describe("what belongs to it comes along", () => {
  const split = [1, 2, 3].map((part) => `m.Q4_K_M-0000${part}-of-00003.gguf`);

  test("the parts of a split model, whichever was named", async () => {
    const expected = split.map((path) => `weights ${path}`);
    expect(await chosen([...split].toReversed(), "org/repo")).toEqual(expected);
    expect(await chosen(split, `org/repo/${split[1]}`)).toEqual(expected);
  });

  test("of which one that lacks a part is none", async () => {
    expect(await chosen([...split.slice(1), "m.Q2_K.gguf"], "org/repo")).toEqual(["weights m.Q2_K.gguf"]);
  });

  test("the projector beside it, and no other side file", async () => {
    const paths = ["m.Q4_K_M.gguf", "mmproj-m-Q8_0.gguf", "mmproj-m-f16.gguf", "m.imatrix.gguf"];
    expect(await chosen(paths, "org/repo")).toEqual(["weights m.Q4_K_M.gguf", "mmproj mmproj-m-f16.gguf"]);
    const inFolders = ["a/m.Q4_K_M.gguf", "b/mmproj.gguf", "mmproj.gguf"];
    expect(await chosen(inFolders, "org/repo")).toEqual(["weights a/m.Q4_K_M.gguf", "mmproj mmproj.gguf"]);
  });

  test("the model.yml of a model of cortex.so", async () => {
    const remote = remoteModel(["metadata.yml", "model.gguf", "model.yml"], "cortex.so");
    const files = await chooseFiles(remote, parseReference("tinyllama:1b-gguf"));
    expect(files.map(({ file, role }) => `${role} ${file.path}`)).toEqual([
      "weights model.gguf",
      "config model.yml",
    ]);
  });

  test("all that safetensors need, where there is no GGUF", async () => {
    const paths = [
      "model.safetensors.partial.json",
      "README.md",
      "config.json",
      "tokenizer.json",
      "model.safetensors",
      "chat_template.jinja",
    ];
    expect(await chosen(paths, "org/repo")).toEqual([
      "weights model.safetensors",
      "template chat_template.jinja",
      "config config.json",
      "tokenizer tokenizer.json",
    ]);
  });
});
