import path from "node:path";

import { beforeAll, expect, test } from "vitest";

import {
  installedPackages,
  installPackage,
  type InstalledPackage,
  type Outcome,
} from "./installed-package.ts";
import { findOldNode } from "./old-node.ts";

let installed: InstalledPackage;

beforeAll(async () => {
  installed = await installPackage("apps/cli");
  return async () => installed[Symbol.asyncDispose]();
});

test("it brings the SQLite binding and nothing else", async () => {
  expect(await installedPackages(installed.folder)).toEqual([
    "@cortex/cli",
    "better-sqlite3",
    "node-addon-api",
  ]);
});

test("npx cortex --help says what it can do", async () => {
  // What npm itself has to say goes to stderr.
  const { exitCode, stdout } = await installed.run("npx", ["cortex", "--help"]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^cortex/);
  expect(stdout).toContain("list");
});

test("a model that was added is listed", async () => {
  const database = path.join(installed.folder, "registry.db");
  const cortex = async (...args: string[]): Promise<Outcome> =>
    installed.run("node_modules/.bin/cortex", [...args, "--db", database]);
  const added = await cortex("add", "tinyllama:1b-gguf", "--source-type", "local");
  expect(added.exitCode, added.stderr).toBe(0);
  const listed = await cortex("list", "--json");
  expect(listed.exitCode, listed.stderr).toBe(0);
  expect(JSON.parse(listed.stdout)).toMatchObject({
    data: [{ model_id: "tinyllama:1b-gguf", source_type: "local" }],
  });
});

test("on an older Node it says in one line which it needs, with exit code 2", async ({ skip }) => {
  const node = await findOldNode(installed.folder);
  if (node === undefined) {
    skip("no older Node on this machine, and none from the registry");
    return;
  }
  const { exitCode, stdout, stderr } = await installed.run(node, ["node_modules/.bin/cortex", "list"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toMatch(/^cortex needs Node 22\.18 or newer; this is Node \d+\.\d+\.\d+\n$/);
});
