import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { beforeAll, expect, test } from "vitest";

import { installedPackages, installPackage, type InstalledPackage } from "./installed-package.ts";
import { findOldNode } from "./old-node.ts";

let installed: InstalledPackage;

beforeAll(async () => {
  installed = await installPackage("apps/legacy-migrator");
  return async () => installed[Symbol.asyncDispose]();
});

test("it brings the SQLite binding and nothing else", async () => {
  expect(await installedPackages(installed.folder)).toEqual([
    "@cortex/legacy-migrator",
    "better-sqlite3",
    "node-addon-api",
  ]);
});

test("npx cortex-migrate --help says what it can do", async () => {
  // What npm itself has to say goes to stderr.
  const { exitCode, stdout } = await installed.run("npx", ["cortex-migrate", "--help"]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^cortex-migrate/);
});

test("the models of an old data folder end up in a registry", async () => {
  const dataFolder = path.join(installed.folder, "cortexcpp");
  const registry = path.join(installed.folder, "registry.db");
  await mkdir(path.join(dataFolder, "models"), { recursive: true });
  await writeFile(
    path.join(dataFolder, "models", "model.list"),
    "tinyllama:1b-gguf cortexso 1b-gguf models/cortex.so/tinyllama/1b-gguf/model.yml tinyllama READY\n",
  );
  const migrated = await installed.run("node_modules/.bin/cortex-migrate", [dataFolder, "--to", registry]);
  expect(migrated.exitCode, migrated.stderr).toBe(0);
  expect(existsSync(registry)).toBe(true);
});

test("on an older Node it says in one line which it needs, with exit code 2", async ({ skip }) => {
  const node = await findOldNode(installed.folder);
  if (node === undefined) {
    skip("no older Node on this machine, and none from the registry");
    return;
  }
  const { exitCode, stdout, stderr } = await installed.run(node, ["node_modules/.bin/cortex-migrate"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toMatch(/^cortex-migrate needs Node 22\.18 or newer; this is Node \d+\.\d+\.\d+\n$/);
});

test("a start that needs no database loads none", async () => {
  await rm(path.join(installed.folder, "node_modules", "better-sqlite3"), { recursive: true });
  const { exitCode, stderr } = await installed.run("node_modules/.bin/cortex-migrate", ["--help"]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
});
