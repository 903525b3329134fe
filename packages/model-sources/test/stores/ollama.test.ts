import { rmSync, writeFileSync } from "node:fs";

import { contentOf, OllamaStore, writeTo } from "@cortex/test-stores";
import { describe, expect, test } from "vitest";

import { inShort, StoreFolder } from "./store-folder.ts";

const WEIGHTS = contentOf("weights");
const TEMPLATE = contentOf("{{ .Prompt }}");
const LICENSE = contentOf("MIT");
// Ollama's own host has another name, which nothing depends on.
const HOME = "registry.example/library";

describe("a store of Ollama", () => {
  test("has a model for each manifest, whose layers are known by their digests", async () => {
    using folder = new StoreFolder();
    const store = new OllamaStore(folder.path);
    store.add(`${HOME}/llama3/8b`, { model: WEIGHTS, template: TEMPLATE, license: LICENSE });
    store.add("hf.co/org/repo-GGUF/Q4_K_M", { model: WEIGHTS, projector: contentOf("projector") });
    const { store: name, models } = await folder.read();
    expect(name).toBe("ollama");
    expect(models.map(inShort)).toEqual([
      "hf.co/org/repo-GGUF:Q4_K_M: whole: weights 7 known, mmproj 9 known, other 85 known",
      "llama3:8b: whole: weights 7 known, template 13 known, other 3 known, other 85 known",
    ]);
    expect(models[0]!.files[0]).toMatchObject({ path: store.blob(WEIGHTS), sha256: WEIGHTS.sha256 });
    expect(models.map(({ origin }) => [origin.sourceType, origin.authorRepo])).toEqual([
      ["huggingface", "org/repo-GGUF"],
      ["local", null],
    ]);
  });

  test("says what is broken: a layer that is gone, one of another size, a manifest that is none", async () => {
    using folder = new StoreFolder();
    const store = new OllamaStore(folder.path);
    const [gone, cut] = [contentOf("gone"), contentOf("cut off")];
    store.add(`${HOME}/gone/latest`, { model: gone });
    rmSync(store.blob(gone));
    store.add(`${HOME}/cut/latest`, { model: cut });
    writeFileSync(store.blob(cut), "cut");
    writeTo(folder.at("manifests", HOME, "torn", "latest"), '{"schemaVersion":2,"la');
    writeTo(
      folder.at("manifests", HOME, "hostile", "latest"),
      JSON.stringify({ layers: [{ digest: "sha256:../../../../etc/passwd", size: 1 }] }),
    );
    writeTo(folder.at("manifests", HOME, "huge", "latest"), " ".repeat(2 ** 21));
    const { models, found } = await folder.read();
    expect(models.map(({ name, state, reason }) => [name, state, reason])).toEqual([
      ["cut:latest", "broken", "its model has 3 bytes and not 7"],
      ["gone:latest", "broken", "its model is not there"],
    ]);
    const findings = found.flatMap((one) => (one.kind === "finding" ? [one.problem] : []));
    expect(findings.toSorted()).toEqual([
      "is far larger than such a file is",
      "is no JSON",
      "names a layer without a digest",
    ]);
  });

  test("shows what no manifest names any more, and downloads that have not ended", async () => {
    using folder = new StoreFolder();
    const store = new OllamaStore(folder.path);
    store.add(`${HOME}/a/latest`, { model: WEIGHTS });
    LICENSE.write(store.blob(LICENSE));
    store.partial(TEMPLATE, "{{");
    const { models } = await folder.read();
    expect(models.map(({ name, state }) => [name, state])).toEqual([
      ["a:latest", "whole"],
      [`sha256:${TEMPLATE.sha256.slice(0, 12)}`, "partial"],
      [`sha256:${LICENSE.sha256.slice(0, 12)}`, "detached"],
    ]);
  });

  test("passes over a model that runs elsewhere and has no weights", async () => {
    using folder = new StoreFolder();
    const store = new OllamaStore(folder.path);
    store.add(`${HOME}/gpt/cloud`, { license: LICENSE }, { remote_host: "https://example.org:443" });
    expect((await folder.read()).found).toEqual([]);
  });
});
