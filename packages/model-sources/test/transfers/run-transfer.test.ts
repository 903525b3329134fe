import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { llamaFile, safetensorsFile } from "@cortex/test-models";
import { describe, expect, test } from "vitest";

import { followTransfer, pulledFrom, requestPull, RateLimit } from "../../src/index.ts";
import { PullPlace } from "./pull-place.ts";

const REPO = "huggingface.co/org/repo";

async function pulled(place: PullPlace, reference: string): Promise<string> {
  const { transferId } = await place.request(reference);
  const ended = await followTransfer(place.registry, transferId, { hub: place.hub });
  expect(ended, ended.errorMessage ?? "").toMatchObject({ state: "done" });
  return ended.modelId;
}

async function failure(place: PullPlace, reference: string): Promise<string | null> {
  const { transferId } = await place.request(reference);
  const ended = await followTransfer(place.registry, transferId, { hub: place.hub });
  expect(ended.state).toBe("failed");
  expect(await place.registry.models.count()).toBe(0);
  return ended.errorCode;
}

describe("a pulled model", () => {
  test("is registered with what its file says, where it came from, and its verified files", async () => {
    await using place = await PullPlace.make();
    const commit = place.server.commit("org/repo", { "m.Q4_K_M.gguf": llamaFile(), "README.md": "hello" });
    const { transferId } = await place.request("org/repo", { alias: "tiny" });
    await followTransfer(place.registry, transferId, { hub: place.hub });
    const model = await place.registry.models.resolve("tiny");
    expect(model).toMatchObject({
      modelId: "org:repo:m.Q4_K_M.gguf",
      sourceType: "huggingface",
      authorRepo: "org",
      branch: "main",
      configPath: `models/${REPO}/m.Q4_K_M.yml`,
      availability: "present",
      architecture: "llama",
      format: "gguf",
      engine: "llama-cpp",
    });
    expect(pulledFrom(model)).toEqual({
      reference: "org/repo",
      repository: "org/repo",
      branch: "main",
      commitId: commit,
    });
    expect(await place.registry.files.list("tiny")).toMatchObject([
      { path: place.models(REPO, "m.Q4_K_M.gguf"), role: "weights", verifiedAt: expect.any(Number) },
      { path: place.models(REPO, "m.Q4_K_M.yml"), role: "config", sha256: null },
    ]);
    const yml = readFileSync(place.models(REPO, "m.Q4_K_M.yml"), "utf8");
    expect(yml).toContain("model: org:repo:m.Q4_K_M.gguf\n");
    expect(yml).toContain(`files:\n  - models/${REPO}/m.Q4_K_M.gguf\n`);
    expect(readdirSync(place.models(REPO))).toEqual(["m.Q4_K_M.gguf", "m.Q4_K_M.yml"]);
  });

  test("of cortex.so lies where the old program has it, with the model.yml of its source", async () => {
    await using place = await PullPlace.make();
    place.server.commitCortexModel("tinyllama", "1b-gguf", llamaFile());
    expect(await pulled(place, "tinyllama:1b-gguf")).toBe("tinyllama:1b-gguf");
    expect(await place.registry.models.get("tinyllama:1b-gguf")).toMatchObject({
      sourceType: "cortex.so",
      authorRepo: "cortexso",
      branch: "1b-gguf",
      configPath: "models/cortex.so/tinyllama/1b-gguf/model.yml",
    });
    const yml = readFileSync(place.models("cortex.so/tinyllama/1b-gguf/model.yml"), "utf8");
    expect(yml).toContain("ctx_len: 4096\n");
    expect(yml).toContain("files:\n  - models/cortex.so/tinyllama/1b-gguf/model.gguf\n");
    // The default branch is the same model.
    const again = await requestPull(place.registry, "tinyllama", await place.options());
    expect(again).toMatchObject({ model: { modelId: "tinyllama:1b-gguf" } });
  });

  test("of another revision is another model, in a folder of its own", async () => {
    await using place = await PullPlace.make();
    place.server.commit("org/repo", { "m.gguf": llamaFile() });
    place.server.commit("org/repo", { "m.gguf": { sizeBytes: 1000, seed: 5 } }, "refs/pr/1");
    expect(await pulled(place, "org/repo")).toBe("org:repo:m.gguf");
    expect(await pulled(place, "org/repo@refs/pr/1")).toBe("org:repo@refs%2Fpr%2F1:m.gguf");
    expect(existsSync(place.models("huggingface.co/org/repo@refs%2Fpr%2F1/m.gguf"))).toBe(true);
    expect(await place.registry.models.count({ filter: { availability: "present" } })).toBe(2);
  });

  test("that is split is one model, registered when all parts are here", async () => {
    await using place = await PullPlace.make();
    place.server.commit("org/repo", {
      "m-00001-of-00003.gguf": { sizeBytes: 100_000, seed: 1 },
      "m-00002-of-00003.gguf": { sizeBytes: 200_000, seed: 2 },
      "m-00003-of-00003.gguf": { sizeBytes: 300_000, seed: 3 },
    });
    expect(await pulled(place, "org/repo")).toBe("org:repo:m-00001-of-00003.gguf");
    const [model] = (await place.registry.models.list()).items;
    expect(model).toMatchObject({ sizeBytes: 600_000 });
    expect((await place.registry.files.list(model!.modelId)).length).toBe(4);
  });

  test("sees where a projector came with it, and needs no GGUF file to be known", async () => {
    await using place = await PullPlace.make();
    place.server.commit("org/seeing", {
      "m.Q4_K_M.gguf": llamaFile(),
      "mmproj-F16.gguf": llamaFile({ "general.architecture": "clip" }, 1),
    });
    const seeing = await place.registry.models.get(await pulled(place, "org/seeing"));
    expect(seeing.capabilities).toEqual(["completion", "vision"]);
    place.server.commit("org/whole", {
      "config.json":
        '{"model_type":"qwen3","architectures":["Qwen3ForCausalLM"],"max_position_embeddings":4096}',
      "model.safetensors": safetensorsFile({ a: { type: "BF16", shape: [8], bytes: 16 } }),
    });
    expect(await place.registry.models.get(await pulled(place, "org/whole"))).toMatchObject({
      format: "safetensors",
      architecture: "qwen3",
      contextLength: 4096,
      parameterCount: 8,
      capabilities: ["completion"],
    });
  });

  test("of any server is verified by its size, and named by its URL", async () => {
    await using place = await PullPlace.make();
    const url = place.server.putFile("some/dir/x.gguf", llamaFile());
    const host = new URL(url).host.replace(":", "_");
    expect(await pulled(place, url)).toBe(`${host}/some/dir/x.gguf`);
    expect(existsSync(place.models(host, "some/dir/x.gguf"))).toBe(true);
  });
});

describe("pulling again", () => {
  test("with a new commit replaces the files in one step, under the same names", async () => {
    await using place = await PullPlace.make();
    place.server.commit("org/repo", { "m.gguf": llamaFile() });
    await pulled(place, "org/repo");
    await place.registry.models.update("org:repo:m.gguf", { alias: "mine", tags: ["kept"] });
    const commit = place.server.commit("org/repo", { "m.gguf": { sizeBytes: 70_000, seed: 8 } });
    await pulled(place, "org/repo");
    const model = await place.registry.models.get("org:repo:m.gguf");
    expect(model).toMatchObject({ alias: "mine", tags: ["kept"], sizeBytes: 70_000 });
    expect(pulledFrom(model)?.commitId).toBe(commit);
    expect(readFileSync(place.models(REPO, "m.gguf")).length).toBe(70_000);
    expect(readdirSync(place.models(REPO))).toEqual(["m.gguf", "m.yml"]);
  });

  test("brings back what is gone, and fetches nothing that is whole", async () => {
    await using place = await PullPlace.make();
    place.server.commit("org/repo", { "m.gguf": llamaFile() });
    await pulled(place, "org/repo");
    const file = place.models(REPO, "m.gguf");
    rmSync(file);
    await pulled(place, "org/repo");
    expect(existsSync(file)).toBe(true);
    const fetched = place.server.requests.filter(({ on }) => on === "cdn").length;
    await place.registry.models.delete("org:repo:m.gguf");
    await pulled(place, "org/repo");
    expect(place.server.requests.filter(({ on }) => on === "cdn")).toHaveLength(fetched);
  });
});

describe("never", () => {
  test("a file that is there already and was not fetched is changed, or deleted by a cancel", async () => {
    await using place = await PullPlace.make();
    place.server.commit("org/repo", { "m.gguf": llamaFile() });
    mkdirSync(place.models(REPO), { recursive: true });
    writeFileSync(place.models(REPO, "m.gguf"), "mine");
    writeFileSync(place.models(REPO, "m.yml"), "model: another\n");
    expect(await failure(place, "org/repo")).toBe("name_taken");
    const { cancelTransfer } = await import("../../src/index.ts");
    await cancelTransfer(place.registry, 1);
    expect(readFileSync(place.models(REPO, "m.gguf"), "utf8")).toBe("mine");
    // The one beside it is another model's, and stays that.
    rmSync(place.models(REPO, "m.gguf"));
    await pulled(place, "org/repo");
    expect(readFileSync(place.models(REPO, "m.yml"), "utf8")).toBe("model: another\n");
    expect(await place.registry.models.get("org:repo:m.gguf")).toMatchObject({ configPath: null });
  });

  test("a file is written through a link that leads out of the models folder", async () => {
    await using place = await PullPlace.make();
    place.server.commit("org/repo", { "m.gguf": llamaFile() });
    const outside = join(place.folder, "outside");
    mkdirSync(outside);
    mkdirSync(place.models("huggingface.co"), { recursive: true });
    symlinkSync(outside, place.models("huggingface.co/org"));
    expect(await failure(place, "org/repo")).toBe("invalid_input");
    expect(readdirSync(outside)).toEqual([]);
  });

  test("wrong bytes are registered", async () => {
    await using place = await PullPlace.make();
    place.server.commit("org/repo", { "m.gguf": { sizeBytes: 200_000, seed: 9 } });
    place.server.fault({ kind: "flip", atByte: 100_000 }, { times: 100 });
    expect(await failure(place, "org/repo")).toBe("checksum_mismatch");
    expect(existsSync(place.models(REPO, "m.gguf"))).toBe(false);
    place.server.clearFaults();
    await pulled(place, "org/repo");
  });
});

test("a limit holds for all that share it", async () => {
  await using place = await PullPlace.make();
  place.server.commit("org/repo", { "m.gguf": { sizeBytes: 1_500_000, seed: 2 } });
  const { transferId } = await place.request("org/repo");
  const began = performance.now();
  await followTransfer(place.registry, transferId, { hub: place.hub, rateLimit: new RateLimit(1_000_000) });
  expect(performance.now() - began).toBeGreaterThan(1000);
});
