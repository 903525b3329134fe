import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import {
  addToCortexCpp,
  addToJan,
  contentOf,
  DockerStore,
  RamaLamaStore,
  writeTo,
} from "@cortex/test-stores";
import { describe, expect, test } from "vitest";

import { storeIn } from "../../src/stores/all-stores.ts";
import { StoreReader } from "../../src/stores/store-reader.ts";
import { inShort, StoreFolder } from "./store-folder.ts";

const WEIGHTS = contentOf("weights");
const OTHER = contentOf("other weights");

describe("a store of Docker Model Runner", () => {
  test("has a model for each entry of its index, and does not count what is unpacked", async () => {
    using folder = new StoreFolder();
    const store = new DockerStore(folder.path);
    store.add(["ai/smollm2:360M-Q4_K_M", "ai/smollm2:latest"], WEIGHTS, { license: contentOf("MIT") });
    store.add(["hf.co/org/repo:latest"], OTHER, { mmproj: contentOf("projector") });
    store.write();
    const { store: name, models } = await folder.read();
    expect(name).toBe("docker");
    expect(models.map(inShort)).toEqual([
      "ai/smollm2:360M-Q4_K_M: whole: weights 7 known, other 3 known, config 105 known",
      "hf.co/org/repo:latest: whole: weights 13 known, mmproj 9 known, config 105 known",
    ]);
    expect(models[1]!.origin).toMatchObject({ sourceType: "huggingface", authorRepo: "org/repo" });
  });

  test("says what is gone, what has no name, and what is still being fetched", async () => {
    using folder = new StoreFolder();
    const store = new DockerStore(folder.path);
    store.add(["ai/gone:latest"], WEIGHTS);
    rmSync(store.blob(WEIGHTS));
    store.add([], OTHER);
    store.write();
    const unnamed = contentOf("unnamed");
    unnamed.write(store.blob(unnamed));
    writeTo(`${store.blob(contentOf("fetched"))}.incomplete`, "fet");
    const { models } = await folder.read();
    expect(models.map(({ name, state }) => `${name.slice(0, 7)} ${state}`).toSorted()).toEqual([
      "ai/gone broken",
      "sha256: detached",
      "sha256: detached",
      "sha256: partial",
    ]);
  });
});

describe("a large store of Docker Model Runner", () => {
  test("has an index of many megabytes", async () => {
    using folder = new StoreFolder();
    const store = new DockerStore(folder.path);
    store.add(["ai/a:latest", "x".repeat(3_000_000)], WEIGHTS);
    store.write();
    const { models } = await folder.read();
    expect(models.map(({ name, state }) => [name, state])).toEqual([["ai/a:latest", "whole"]]);
  });
});

describe("a store of RamaLama", () => {
  test("has a model for each tag", async () => {
    using folder = new StoreFolder();
    const store = new RamaLamaStore(folder.path);
    store.add("ollama/library/smollm", "135m", [
      { name: "smollm", type: "gguf", content: WEIGHTS },
      { name: "chat_template", type: "chat_template", content: contentOf("{{") },
    ]);
    store.add("huggingface/org/repo", "latest", [{ name: "a.gguf", type: "gguf", content: OTHER }]);
    const { store: name, models } = await folder.read();
    expect(name).toBe("ramalama");
    expect(models.map(inShort)).toEqual([
      "huggingface/org/repo:latest: whole: weights 13 known",
      "ollama/library/smollm:135m: whole: weights 7 known, template 2 known",
    ]);
    expect(models[0]!.origin).toMatchObject({ sourceType: "huggingface", authorRepo: "org/repo" });
  });

  test("says what is gone and what is still being fetched, and believes no name that leads out", async () => {
    using folder = new StoreFolder();
    const store = new RamaLamaStore(folder.path);
    store.add("a/b/gone", "latest", [{ name: "a.gguf", type: "gguf", content: WEIGHTS }]);
    rmSync(store.blob("a/b/gone", WEIGHTS));
    store.add("a/b/begun", "latest", [{ name: "a.gguf", type: "gguf", content: OTHER }]);
    rmSync(store.blob("a/b/begun", OTHER));
    writeTo(`${store.blob("a/b/begun", OTHER)}.partial`, "oth");
    writeTo(folder.at("store/a/b/hostile/refs/x.json"), '{"hash":"../../../..","files":[]}');
    writeTo(
      folder.at("store/a/b/hostile/refs/y.json"),
      '{"hash":"h","files":[{"name":"../../../../../etc/passwd","hash":"h","type":"gguf"}]}',
    );
    const { models, found } = await folder.read();
    expect(models.map(({ name, state }) => [name, state])).toEqual([
      ["a/b/begun:latest", "partial"],
      ["a/b/gone:latest", "broken"],
    ]);
    expect(found.filter(({ kind }) => kind === "finding")).toHaveLength(1);
  });
});

describe("a data folder of Jan", () => {
  test("has a model for each model.yml, wherever its weights are", async () => {
    using folder = new StoreFolder();
    addToJan(folder.path, "org/model-Q4", WEIGHTS, { sha256: WEIGHTS.sha256 });
    writeTo(folder.at("elsewhere", "b.gguf"), "other weights");
    addToJan(folder.path, "linked", WEIGHTS, {
      model_path: folder.at("elsewhere", "b.gguf"),
      size_bytes: 13,
    });
    addToCortexCpp(folder.path, "old:model", "old/model.gguf", "model.yml", OTHER);
    const { store, models } = await folder.read();
    expect(store).toBe("jan");
    expect(models.map(inShort)).toEqual([
      "linked: whole: weights 13",
      "org/model-Q4: whole: weights 7 known",
      "old:model: whole: weights 13",
    ]);
  });

  test("says which weights are gone, or are others", async () => {
    using folder = new StoreFolder();
    rmSync(addToJan(folder.path, "gone", WEIGHTS));
    writeFileSync(addToJan(folder.path, "cut", WEIGHTS), "wei");
    writeTo(folder.at("llamacpp/models/torn/model.yml"), "model_path: [");
    const { models, found } = await folder.read();
    expect(models.map(({ name, state, reason }) => [name, state, reason])).toEqual([
      ["cut", "broken", "it has 3 bytes and not 7"],
      ["gone", "broken", "its weights are not there"],
    ]);
    expect(found).toHaveLength(3);
  });
});

describe("a data folder of the old cortex program", () => {
  test("has models of Hugging Face, of cortex.so and imported ones, by the ids that they had", async () => {
    using folder = new StoreFolder();
    const id = "TheBloke:Tiny-GGUF:tiny.Q4_K_M.gguf";
    const path = "huggingface.co/TheBloke/Tiny-GGUF/tiny.Q4_K_M.gguf";
    addToCortexCpp(folder.path, id, path, "tiny.Q4_K_M.yml", WEIGHTS);
    addToCortexCpp(folder.path, "007", "cortex.so/tinyllama/1b-gguf/model.gguf", "model.yml", OTHER);
    writeTo(folder.at("models/huggingface.co/a/b/c.gguf"), "by hand");
    writeTo(folder.at("models/model.list"), "a b c d e READY\n");
    const { store, models } = await folder.read(folder.at("models"));
    expect(store).toBe("cortex.cpp");
    const found = models.map(({ modelId, state, origin }) => [
      modelId,
      state,
      origin.sourceType,
      origin.branch,
    ]);
    expect(found).toEqual([
      ["007", "whole", "cortex.so", "1b-gguf"],
      [id, "whole", "huggingface", "main"],
      ["a:b:c.gguf", "whole", "huggingface", "main"],
    ]);
  });
});

describe("an old cache of llama.cpp", () => {
  test("says where a file came from, if what lies beside it does", async () => {
    using folder = new StoreFolder();
    const url = "https://huggingface.co/org_x/repo_y/resolve/main/a.Q4.gguf";
    writeTo(folder.at("org_x_repo_y_a.Q4.gguf"), "weights");
    writeTo(folder.at("org_x_repo_y_a.Q4.gguf.json"), JSON.stringify({ url, etag: '"x"', lastModified: "" }));
    writeTo(folder.at("who_knows_b.gguf"), "other");
    writeTo(folder.at("who_knows_b.gguf.etag"), '"y"');
    writeTo(folder.at("c.gguf.downloadInProgress"), "c");
    const { store, models } = await folder.read();
    expect(store).toBe("llama.cpp");
    const found = models.map(({ modelId, state, origin }) => `${modelId} ${state} ${origin.authorRepo}`);
    expect(found.toSorted()).toEqual([
      "c.gguf partial null",
      "org_x:repo_y:a.Q4.gguf whole org_x/repo_y",
      "who_knows_b.gguf whole null",
    ]);
  });
});

describe("any folder", () => {
  test("has models at any depth, whatever else lies there", async () => {
    using folder = new StoreFolder();
    writeTo(folder.at("publisher/repo/a.gguf"), "weights");
    writeTo(folder.at("publisher/repo/mmproj-a.gguf"), "projector");
    writeTo(folder.at("mlx/config.json"), "{}");
    writeTo(folder.at("mlx/model.safetensors"), "weights");
    writeTo(folder.at("photos/a.jpg"), "no model");
    writeTo(folder.at("b.gguf.part"), "b");
    writeTo(folder.at("empty.gguf"), "");
    const { store, models } = await folder.read();
    expect(store).toBe("folder");
    expect(models.map(inShort)).toEqual([
      "empty.gguf: broken: weights 0",
      "b.gguf: partial: other 1",
      "mlx: whole: weights 7, config 2",
      "publisher/repo/a.gguf: whole: weights 7, mmproj 9",
    ]);
  });

  test("is entered once, however many links lead back to it", async () => {
    using folder = new StoreFolder();
    writeTo(folder.at("in/a.gguf"), "weights");
    symlinkSync("..", folder.at("in/up"));
    symlinkSync(folder.path, folder.at("in/again"));
    linkSync(folder.at("in/a.gguf"), folder.at("in/b.gguf"));
    const { models } = await folder.read();
    expect(models.map(({ name }) => name)).toEqual(["in/a.gguf", "in/b.gguf"]);
    expect(new Set(models.map(({ files }) => files[0]!.identity)).size).toBe(1);
  });

  test("is no place to wait in: a pipe is no file", async () => {
    using folder = new StoreFolder();
    addToJan(folder.path, "a", WEIGHTS);
    for (const name of ["llamacpp/models/a/mmproj.gguf", "llamacpp/models/b/model.yml"]) {
      mkdirSync(dirname(folder.at(name)), { recursive: true });
      execFileSync("mkfifo", [folder.at(name)]);
    }
    symlinkSync("../b/model.yml", folder.at("llamacpp/models/link.yml"));
    mkdirSync(folder.at("llamacpp/models/c"));
    symlinkSync("../b/model.yml", folder.at("llamacpp/models/c/model.yml"));
    const { models, found } = await folder.read();
    expect(models.map(({ name, state }) => [name, state])).toEqual([["a", "whole"]]);
    expect(found.filter(({ kind }) => kind === "finding")).toEqual([
      { kind: "finding", path: folder.at("llamacpp/models/c/model.yml"), problem: "is no file" },
    ]);
  });

  test("is left when somebody asks for that", async () => {
    using folder = new StoreFolder();
    writeTo(folder.at("a/a.gguf"), "weights");
    const stop = new AbortController();
    stop.abort();
    const reader = new StoreReader(stop.signal);
    const work = Array.fromAsync(storeIn(folder.path, reader).store.read(folder.path, reader));
    await expect(work).rejects.toBe(stop.signal.reason);
  });

  // Rights do not hold root back: somebody else looks.
  test.skipIf(process.getuid?.() !== 0)("is shown as far as it may be read", async () => {
    using folder = new StoreFolder();
    writeTo(folder.at("open/a.gguf"), "weights");
    writeTo(folder.at("closed/b.gguf"), "weights");
    chmodSync(folder.path, 0o755);
    chmodSync(folder.at("closed"), 0o700);
    process.seteuid!(65_534);
    try {
      const { models, found } = await folder.read();
      expect(models.map(({ name }) => name)).toEqual(["open/a.gguf"]);
      expect(found.filter(({ kind }) => kind === "finding")).toEqual([
        { kind: "finding", path: folder.at("closed"), problem: "cannot be read: you may not" },
      ]);
    } finally {
      process.seteuid!(0);
    }
  });

  test("gives what it can where a name is hostile", async () => {
    using folder = new StoreFolder();
    writeTo(folder.at("\u001b[2Jx\n.gguf"), "weights");
    const notText = Buffer.from([0xff, 0xfe]);
    writeFileSync(Buffer.concat([Buffer.from(`${folder.path}/`), notText, Buffer.from(".gguf")]), "weights");
    const { models, found } = await folder.read();
    expect(models.map(({ state }) => state)).toEqual(["whole"]);
    expect(found.filter(({ kind }) => kind === "finding")).toHaveLength(1);
  });
});
