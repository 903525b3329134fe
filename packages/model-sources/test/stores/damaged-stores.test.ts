import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import {
  addToCortexCpp,
  addToJan,
  contentOf,
  DockerStore,
  HuggingFaceCache,
  OllamaStore,
  RamaLamaStore,
} from "@cortex/test-stores";
import fc from "fast-check";
import { expect, test } from "vitest";

import { StoreFolder } from "./store-folder.ts";

const WEIGHTS = contentOf("weights");
const OTHER = contentOf("other weights");
const ROOTS = ["huggingface", "ollama", "docker", "ramalama", "jan", "cortex/models"];

/** A store of each tool that writes down what it has. */
function fill(folder: StoreFolder): void {
  const cache = new HuggingFaceCache(folder.at("huggingface"));
  cache.snapshot("org/repo", "a".repeat(40), [{ path: "a.gguf", content: WEIGHTS }], ["main", "refs/pr/1"]);
  const ollama = new OllamaStore(folder.at("ollama"));
  ollama.add("registry.example/library/a/latest", { model: WEIGHTS, template: OTHER });
  ollama.partial(OTHER, "oth");
  const docker = new DockerStore(folder.at("docker"));
  docker.add(["ai/a:latest"], WEIGHTS, { mmproj: OTHER });
  docker.write();
  const files = [{ name: "a.gguf", type: "gguf", content: WEIGHTS }] as const;
  new RamaLamaStore(folder.at("ramalama")).add("ollama/library/a", "latest", files);
  addToJan(folder.at("jan"), "org/a", WEIGHTS, { sha256: WEIGHTS.sha256 });
  addToCortexCpp(folder.at("cortex"), "a:b", "cortex.so/a/b/model.gguf", "model.yml", OTHER);
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted();
}

// Where it is hurt, and how: cut off, gone, or with other bytes in it.
const damage = fc.record({
  file: fc.nat(),
  at: fc.nat(),
  with: fc.oneof(
    fc.constant("cut"),
    fc.constant("gone"),
    fc.json(),
    fc.string({ unit: "binary" }),
    fc.constantFrom("../../../../etc/passwd", "sha256:..", "\0", "&a [*a]", "!!js/function x", '"', "1e999"),
  ),
});

test("whatever is damaged in a store, the rest is shown, and nothing outside of it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 6 }), async (damages) => {
      using folder = new StoreFolder();
      fill(folder);
      for (const { file, at, with: bytes } of damages) {
        const all = filesIn(folder.path);
        const path = all[file % all.length]!;
        if (bytes === "gone") rmSync(path);
        if (bytes === "gone" || statSync(path, { throwIfNoEntry: false }) === undefined) continue;
        const before = readFileSync(path);
        const begin = at % (before.length + 1);
        if (bytes === "cut") truncateSync(path, begin);
        else
          writeFileSync(
            path,
            Buffer.concat([before.subarray(0, begin), Buffer.from(bytes), before.subarray(begin)]),
          );
      }
      const expected = filesIn(folder.path);
      for (const root of ROOTS) {
        const { models } = await folder.read(folder.at(root));
        const there = models.flatMap(({ files }) => files).filter(({ sizeBytes }) => sizeBytes !== null);
        expect(there.map(({ path }) => path).filter((path) => !expected.includes(path))).toEqual([]);
      }
    }),
    { numRuns: 60 },
  );
}, 120_000);
