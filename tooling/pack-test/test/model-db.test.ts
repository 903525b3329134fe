import { writeFile } from "node:fs/promises";
import path from "node:path";

import { beforeAll, expect, test } from "vitest";

import { installPackage, type InstalledPackage } from "./installed-package.ts";
import { findOldNode } from "./old-node.ts";
import { typeCheck } from "./type-check.ts";

let installed: InstalledPackage;

beforeAll(async () => {
  installed = await installPackage("packages/model-db");
  return async () => installed[Symbol.asyncDispose]();
});

test("a program imports the library, creates a model and resolves it", async () => {
  await writeFile(
    path.join(installed.folder, "program.js"),
    `import { openRegistry } from "@cortex/model-db";

const registry = await openRegistry("registry.db");
await registry.models.create({ modelId: "tinyllama:1b-gguf", sourceType: "cortex.so" });
const model = await registry.models.resolve("tinyllama:1b-gguf");
await registry[Symbol.asyncDispose]();
console.log(model.modelId, model.sourceType);
`,
  );
  expect(await installed.run(process.execPath, ["program.js"])).toEqual({
    exitCode: 0,
    stdout: "tinyllama:1b-gguf cortex.so\n",
    stderr: "",
  });
});

test("its types hold in a strict program without those of Node, and refuse what the library refuses", async () => {
  const program = `import { commits, openRegistry } from "@cortex/model-db";
import "@cortex/model-db/durable-files";
import "@cortex/model-db/file-lock";

await using registry = await openRegistry("typed.db");
await registry.models.create({ modelId: "tinyllama:1b-gguf", sourceType: "cortex.so" });
const modelId: string = (await registry.models.resolve("tinyllama:1b-gguf")).modelId;
console.log(modelId);
commits.subscribe(({ location, durationMs }) => console.log(location, durationMs));
// @ts-expect-error a model id is text
await registry.models.create({ modelId: 1, sourceType: "cortex.so" });
`;
  expect(await typeCheck(installed, program)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
});

test("on an older Node opening a registry says which it needs", async ({ skip }) => {
  const node = await findOldNode(installed.folder);
  if (node === undefined) {
    skip("no older Node on this machine, and none from the registry");
    return;
  }
  const open =
    'import("@cortex/model-db").then((m) => m.openRegistry("old.db")).catch((e) => console.log(e.code, e.message))';
  const { exitCode, stdout } = await installed.run(node, ["-e", open]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(
    /^unsupported_node A registry needs Node 22\.18 or newer; this is Node \d+\.\d+\.\d+\.\n$/,
  );
});
