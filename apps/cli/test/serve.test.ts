import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";

import { findServer } from "../src/find-server.ts";
import { Sandbox } from "./cortex.ts";

/** A `cortex-server` that says how it was called. */
function installServer(sandbox: Sandbox, folder: string): string {
  const file = path.join(sandbox.folder, folder, "cortex-server");
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '#!/bin/sh\necho "$$ $@"\nexit 7\n');
  chmodSync(file, 0o755);
  return file;
}

test("serve becomes the cortex-server on PATH, with every flag and its exit code", async () => {
  using sandbox = new Sandbox();
  const file = installServer(sandbox, "bin");
  const child = sandbox.start(["--db", "a.db", "serve", "--port", "1", "-x", "--", "--json", ""], {
    PATH: `${path.dirname(file)}${path.delimiter}${process.env["PATH"]}`,
  });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  const exitCode = await new Promise((resolve) => child.once("close", resolve));
  expect(stdout).toBe(`${child.pid} --db a.db --port 1 -x --json \n`);
  expect(exitCode).toBe(7);
});

test("a cortex-server beside the program, or in a node_modules above it, is found before PATH", () => {
  using sandbox = new Sandbox();
  const onPath = installServer(sandbox, "path");
  const env = { PATH: path.dirname(onPath) };
  const startedAs = path.join(sandbox.folder, "project/node_modules/@cortex/cli/bin/cortex.cjs");
  expect(findServer(startedAs, env)).toEqual({ file: onPath, args: [] });
  const installed = installServer(sandbox, "project/node_modules/.bin");
  expect(findServer(startedAs, env)).toEqual({ file: installed, args: [] });
  expect(findServer(path.join(path.dirname(installed), "cortex"), {})).toEqual({ file: installed, args: [] });
});

test("a program of Node is run by the Node that runs this", () => {
  using sandbox = new Sandbox();
  const module = sandbox.path("main.mjs");
  writeFileSync(module, "");
  chmodSync(module, 0o755);
  mkdirSync(sandbox.path("bin"));
  symlinkSync(module, sandbox.path("bin/cortex-server"));
  expect(findServer(sandbox.path("bin/cortex"), {})).toEqual({ file: process.execPath, args: [module] });
});

test("where no cortex-server is installed, serve says how to come by it", async () => {
  using sandbox = new Sandbox();
  const { exitCode, stdout, stderr } = await sandbox.run(["serve", "--port", "1"], "", { PATH: "/nowhere" });
  expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: "" });
  expect(stderr).toBe(
    "cortex: cortex-server is not installed: `npm install --global @cortex/hono-server` brings it.\n",
  );
});
