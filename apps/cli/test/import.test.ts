import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";

import { llamaFile } from "@cortex/test-models";
import { expect, test } from "vitest";

import { Sandbox, type List } from "./cortex.ts";

interface Imported {
  readonly outcome: string;
  readonly model_id?: string;
  readonly error?: { readonly code: string };
}

test("one command brings in a file, and the next says that it is there", async () => {
  using sandbox = new Sandbox();
  const path = sandbox.path("my tiny.Q4_K_M.gguf");
  writeFileSync(path, llamaFile());
  const imported = await sandbox.run(["import", "my tiny.Q4_K_M.gguf"]);
  expect(imported).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: `Imported Tiny-Llama-1B-Chat:Q4_K_M as tiny-llama-1b-chat (4.9 kB): ${path}\n`,
  });
  expect(await sandbox.run(["import", path])).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: `${path} is already registered as Tiny-Llama-1B-Chat:Q4_K_M\n`,
  });
  const again = await sandbox.run(["import", path, "--alias", "other"]);
  expect(again.stderr).toContain("stay as they are: `cortex alias`");
  expect(await sandbox.json("show", "tiny-llama-1b-chat")).toMatchObject({
    architecture: "llama",
    context_length: 2048,
  });
});

test("a dry run makes no registry", async () => {
  using sandbox = new Sandbox();
  writeFileSync(sandbox.path("a.gguf"), llamaFile());
  expect((await sandbox.run(["import", "a.gguf", "--dry-run"])).stderr).toContain(
    "Would import Tiny-Llama-1B-Chat:Q4_K_M",
  );
  expect((await sandbox.run(["list"])).stderr).toContain("There is no registry");
});

test("what cannot come in is named, and its exit code is the first one's", async () => {
  using sandbox = new Sandbox();
  mkdirSync(sandbox.path("models"));
  writeFileSync(sandbox.path("models/a.gguf"), llamaFile());
  copyFileSync(sandbox.path("models/a.gguf"), sandbox.path("models/b.gguf"));
  writeFileSync(sandbox.path("models/c.gguf"), "GGML");
  const { exitCode, stdout } = await sandbox.run(["import", "models", "none.gguf", "--json"]);
  expect(exitCode).toBe(3);
  expect((JSON.parse(stdout) as List<Imported>).data).toMatchObject([
    { outcome: "refused", error: { code: "not_found" } },
    { outcome: "imported", model_id: "Tiny-Llama-1B-Chat:Q4_K_M" },
    { outcome: "already_registered", model_id: "Tiny-Llama-1B-Chat:Q4_K_M" },
    { outcome: "refused", error: { code: "invalid_input" } },
  ]);
  mkdirSync(sandbox.path("empty"));
  expect(await sandbox.run(["import", "empty"])).toMatchObject({ exitCode: 3, stdout: "" });
});

test("files come into the models folder in one way", async () => {
  using sandbox = new Sandbox();
  writeFileSync(sandbox.path("a.gguf"), llamaFile());
  expect((await sandbox.run(["import", "a.gguf", "--copy", "--move"])).exitCode).toBe(2);
  const moved = await sandbox.json<List<Imported & { paths: string[] }>>("import", "a.gguf", "--move");
  expect(moved.data).toMatchObject([
    { outcome: "imported", paths: [sandbox.path("models/imported/Tiny-Llama-1B-Chat/a.gguf")], left: [] },
  ]);
  expect(existsSync(sandbox.path("a.gguf"))).toBe(false);
});

test("the memory that a model takes is estimated from its file", async () => {
  using sandbox = new Sandbox();
  writeFileSync(sandbox.path("a.gguf"), llamaFile());
  await sandbox.output("import", "a.gguf", "--alias", "tiny");
  // Two blocks, two heads of 16 numbers for each key and value, two bytes a number.
  const { fit } = await sandbox.json<{ fit: object }>("show", "tiny", "--fit", "--context-length", "1000");
  expect(fit).toMatchObject({
    context_length: 1000,
    weights_bytes: llamaFile().length,
    kv_cache_bytes: { f16: 1024 * 2 * 2 * 32 * 2 },
    compute_bytes: 512 * (4 + 64) * 4,
  });
  expect(await sandbox.output("show", "tiny", "--fit")).toMatch(/fit +about 668 kB for 2K \(2048\) tokens/);
  await sandbox.output("add", "unknown");
  expect(await sandbox.output("show", "unknown", "--fit")).toContain("No file of it is recorded.");
  expect((await sandbox.run(["show", "tiny", "--context-length", "5"])).exitCode).toBe(2);
  expect((await sandbox.run(["show", "tiny", "--fit", "--context-length", "0"])).exitCode).toBe(2);
});
