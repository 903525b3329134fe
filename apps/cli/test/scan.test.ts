import { renameSync, rmSync } from "node:fs";

import { llamaFile } from "@cortex/test-models";
import { contentOf, HuggingFaceCache, writeTo } from "@cortex/test-stores";
import { expect, test } from "vitest";

import { Sandbox } from "./cortex.ts";

const WEIGHTS = contentOf(llamaFile());

function withCache(sandbox: Sandbox): HuggingFaceCache {
  const cache = new HuggingFaceCache(sandbox.path(".cache/huggingface/hub"));
  cache.snapshot("org/repo", "c".repeat(40), [{ path: "a.Q4_K_M.gguf", content: WEIGHTS }], ["main"]);
  return cache;
}

test("without a registry it shows what is here, and makes none", async () => {
  using sandbox = new Sandbox();
  withCache(sandbox);
  const { exitCode, stdout, stderr } = await sandbox.run(["scan"]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^NAME +STORE +SIZE +STATE/);
  expect(stdout).toMatch(/org\/repo\/a\.Q4_K_M\.gguf +huggingface +[\d.]+ k?B +whole/);
  expect(stderr).toContain("One is not registered: `cortex scan --adopt` does so, where the files lie.");
  expect((await sandbox.run(["list"])).stderr).toContain("There is no registry");
});

test("counts what adopting would register: no second copy, and nothing that is damaged or no model", async () => {
  using sandbox = new Sandbox();
  withCache(sandbox);
  writeTo(sandbox.path("more/copy.gguf"), llamaFile());
  writeTo(sandbox.path("more/damaged.gguf"), Buffer.from("GGUF\u0003\0\0\0 and no more"));
  const { stderr } = await sandbox.run([
    "scan",
    sandbox.path("more"),
    sandbox.path(".cache/huggingface/hub"),
  ]);
  expect(stderr).toContain("One is not registered: `cortex scan --adopt` does so, where the files lie.");
  expect(stderr).toMatch(/^damaged\.gguf is not registered: /m);
});

test("adopts, says what is gone and back, and shows first what it would do", async () => {
  using sandbox = new Sandbox();
  const cache = withCache(sandbox);
  const planned = await sandbox.json("scan", "--adopt", "--dry-run");
  expect(planned).toMatchObject({ dry_run: true, adopted: ["org:repo:a.Q4_K_M.gguf"] });
  expect((await sandbox.run(["list"])).stderr).toContain("There is no registry");
  expect(await sandbox.output("scan", "--adopt", "-q")).toBe("org:repo:a.Q4_K_M.gguf\n");
  const { data, ...rest } = await sandbox.json<Record<string, unknown> & { data: unknown[] }>("scan");
  expect(data).toMatchObject([
    {
      store: "huggingface",
      state: "whole",
      size_bytes: WEIGHTS.sizeBytes,
      model_id: "org:repo:a.Q4_K_M.gguf",
      known_by: "path",
      same_as: null,
      files: [{ role: "weights", sha256: WEIGHTS.sha256 }],
    },
  ]);
  expect(rest).toMatchObject({ dry_run: false, adopted: [], missing: [], size_bytes: WEIGHTS.sizeBytes });
  renameSync(cache.folder("org/repo"), sandbox.path("away"));
  expect((await sandbox.run(["scan", "--dry-run"])).stderr).toContain(
    "No longer here: org:repo:a.Q4_K_M.gguf.",
  );
  expect(await sandbox.json("list")).toMatchObject({ data: [{ availability: "present" }] });
  expect(await sandbox.json("scan")).toMatchObject({ missing: ["org:repo:a.Q4_K_M.gguf"] });
  expect(await sandbox.json("list")).toMatchObject({ data: [{ availability: "missing" }] });
  renameSync(sandbox.path("away"), cache.folder("org/repo"));
  expect(await sandbox.json("scan")).toMatchObject({ present: ["org:repo:a.Q4_K_M.gguf"] });
});

test("a model that was taken out stays out, until it is asked for again", async () => {
  using sandbox = new Sandbox();
  withCache(sandbox);
  await sandbox.output("scan", "--adopt");
  await sandbox.output("rm", "-y", "org:repo:a.Q4_K_M.gguf");
  const { stderr } = await sandbox.run(["scan", "--adopt"]);
  expect(stderr).toContain("One model was taken out of the registry and stays out; --again brings it back.");
  expect(await sandbox.output("scan", "--again", "-q")).toBe("org:repo:a.Q4_K_M.gguf\n");
});

test("looks through the folders that are named, and no others", async () => {
  using sandbox = new Sandbox();
  withCache(sandbox);
  writeTo(sandbox.path("models/b.gguf"), llamaFile());
  writeTo(sandbox.path("models/\u001b[2Jc.gguf"), llamaFile());
  const { stdout, stderr } = await sandbox.run(["scan", "models"]);
  expect(stdout).toContain("b.gguf");
  expect(stderr).toMatch(/\\x1b\[2Jc\.gguf has a name .*rename it/);
  expect(stdout + stderr).not.toContain("\u001b");
  expect(stdout).not.toContain("huggingface");
  expect((await sandbox.run(["scan", "models/b.gguf"])).stderr).toContain("is no folder. `cortex import`");
  rmSync(sandbox.path("models"), { recursive: true });
  expect(await sandbox.run(["scan", "models"])).toMatchObject({ exitCode: 3 });
});
