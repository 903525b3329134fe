import { writeFile } from "node:fs/promises";
import path from "node:path";

import { llamaFile } from "@cortex/test-models";
import { beforeAll, expect, test } from "vitest";

import { installPackage, type InstalledPackage } from "./installed-package.ts";
import { typeCheck } from "./type-check.ts";

let installed: InstalledPackage;

beforeAll(async () => {
  installed = await installPackage("packages/model-db", "packages/model-sources");
  return async () => installed[Symbol.asyncDispose]();
});

test("a program imports a model file and says what a reference means", async () => {
  await writeFile(path.join(installed.folder, "tiny.Q4_K_M.gguf"), llamaFile());
  await writeFile(
    path.join(installed.folder, "program.js"),
    `import { openRegistry } from "@cortex/model-db";
import { importModels, parseReference } from "@cortex/model-sources";

const registry = await openRegistry("registry.db");
const [result] = await importModels(registry, { paths: ["tiny.Q4_K_M.gguf"], location: registry.location });
await registry[Symbol.asyncDispose]();
console.log(result.outcome, result.model.architecture, result.model.contextLength);
console.log(parseReference("hf.co/org/repo:Q8_0").repo);
`,
  );
  expect(await installed.run(process.execPath, ["program.js"])).toEqual({
    exitCode: 0,
    stdout: "imported llama 2048\norg/repo\n",
    stderr: "",
  });
});

test("its types hold in a strict program, and refuse what the library refuses", async () => {
  const program = `import { openRegistry } from "@cortex/model-db";
import { verifyModels } from "@cortex/model-sources";

await using registry = await openRegistry("typed.db");
for await (const verdict of verifyModels(registry)) console.log(verdict.modelId);
// @ts-expect-error a registry is needed
verifyModels("typed.db");
`;
  expect(await typeCheck(installed, program, ["node"])).toEqual({ exitCode: 0, stdout: "", stderr: "" });
});
