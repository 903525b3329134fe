import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

import { openRegistry } from "@cortex/model-db";
import { expect, test } from "vitest";

import { Sandbox } from "./cortex.ts";

test("moves a model between the models folders, after showing what would move", async () => {
  using sandbox = new Sandbox();
  const [from, to] = [sandbox.path("models"), sandbox.path("other")];
  mkdirSync(from);
  writeFileSync(`${from}/a.gguf`, "weights");
  await using registry = await openRegistry(sandbox.db);
  const file = {
    path: `${from}/a.gguf`,
    role: "weights",
    sizeBytes: 7,
    source: "https://example.org/a",
  } as const;
  await registry.models.create({ modelId: "a", sourceType: "local", alias: null, files: [file] });
  const run = (...args: string[]): ReturnType<Sandbox["run"]> =>
    sandbox.run(["mv", ...args], "", { CORTEX_MODELS: `${from}:${to}` });
  expect(await run("a", "other", "--dry-run")).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: `  ${from}/a.gguf → ${to}/a.gguf\na would move to other. Nothing was changed.\n`,
  });
  expect(readFileSync(`${from}/a.gguf`, "utf8")).toBe("weights");
  expect(await run("a", "other", "-q")).toEqual({ exitCode: 0, stdout: "a\n", stderr: "" });
  expect(readFileSync(`${to}/a.gguf`, "utf8")).toBe("weights");
  expect((await run("a", "other")).stderr).toBe("a is in other already.\n");
  expect(await run("a", "elsewhere")).toMatchObject({ exitCode: 2 });
});

test("a model that runs stays, and what ends that is said once", async () => {
  using sandbox = new Sandbox();
  mkdirSync(sandbox.path("models"));
  await sandbox.output("add", "a");
  await sandbox.output("start", "a", "--holder", "engine");
  expect(await sandbox.run(["mv", "a", "models"])).toEqual({
    exitCode: 4,
    stdout: "",
    stderr: "cortex: a is running. `cortex stop` ends that.\n",
  });
});
