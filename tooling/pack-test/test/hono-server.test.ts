import { writeFile } from "node:fs/promises";
import path from "node:path";

import { beforeAll, expect, test } from "vitest";

import { installPackage, type InstalledPackage } from "./installed-package.ts";
import { findOldNode } from "./old-node.ts";
import { serve } from "./served.ts";
import { typeCheck } from "./type-check.ts";

let installed: InstalledPackage;

beforeAll(async () => {
  installed = await installPackage(
    "packages/model-db",
    "packages/model-sources",
    "apps/hono-server",
    "apps/cli",
  );
  return async () => installed[Symbol.asyncDispose]();
});

test("npx cortex-server --help says what it can do", async () => {
  // What npm itself has to say goes to stderr.
  const { exitCode, stdout } = await installed.run("npx", ["cortex-server", "--help"]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^cortex-server: /);
});

test("the program serves a new registry, with its page of routes, until it is told to end", async () => {
  const served = await serve(["node_modules/.bin/cortex-server"], installed.folder);
  expect(await (await fetch(`${served.url}/v1/models`)).json()).toMatchObject({ object: "list", data: [] });
  expect(await (await fetch(`${served.url}/docs`)).text()).toContain("/v1/models");
  expect(await served.end()).toBe(0);
});

test("cortex serve starts the server that is installed beside it", async () => {
  const served = await serve(["node_modules/.bin/cortex", "serve"], installed.folder);
  expect((await fetch(`${served.url}/v1/models`)).status).toBe(200);
  expect(await served.end()).toBe(0);
});

test("a program imports the app, mounts it, and asks it with the client", async () => {
  await writeFile(
    path.join(installed.folder, "program.js"),
    `import { createApp } from "@cortex/hono-server";
import { createClient } from "@cortex/hono-server/client";
import { openRegistry } from "@cortex/model-db";

const registry = await openRegistry("library.db");
await registry.models.create({ modelId: "tinyllama:1b-gguf", sourceType: "cortex.so" });
const app = createApp(registry);
const client = createClient({ url: "http://localhost", fetch: (request) => app.fetch(request) });
const { data } = await client.GET("/v1/models", {});
console.log(data.data.map(({ id }) => id));
await registry.close();
`,
  );
  expect(await installed.run(process.execPath, ["program.js"])).toEqual({
    exitCode: 0,
    stdout: "[ 'tinyllama:1b-gguf' ]\n",
    stderr: "",
  });
});

test("its types hold in a strict program, and refuse what the service refuses", async () => {
  const program = `import { createApp } from "@cortex/hono-server";
import { createClient } from "@cortex/hono-server/client";
import { openRegistry } from "@cortex/model-db";

await using registry = await openRegistry("typed.db");
const app = createApp(registry, { allowedHosts: ["models.example.org"] });
const client = createClient({ url: "http://localhost", fetch: async (request) => app.fetch(request) });
const { data } = await client.GET("/v1/models/{model_id}", { params: { path: { model_id: "a" } } });
const id: string | undefined = data?.model_id;
console.log(id);
// @ts-expect-error there is no such route
await client.GET("/v1/nothing", {});
`;
  expect(await typeCheck(installed, program, ["node"])).toEqual({ exitCode: 0, stdout: "", stderr: "" });
});

test("on an older Node it says in one line which it needs, with exit code 2", async ({ skip }) => {
  const node = await findOldNode(installed.folder);
  if (node === undefined) {
    skip("no older Node on this machine, and none from the registry");
    return;
  }
  const { exitCode, stdout, stderr } = await installed.run(node, ["node_modules/.bin/cortex-server"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toMatch(/^cortex-server needs Node 22\.18 or newer; this is Node \d+\.\d+\.\d+\n$/);
});
