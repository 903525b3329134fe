import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { afterAll, expect, test } from "vitest";

import * as api from "../src/index.ts";
import { startProcess } from "./processes/start.ts";

const source = fileURLToPath(new URL("../src", import.meta.url));
// Inside the package, so that its types are stripped as those of its own files are.
const folder = mkdtempSync(fileURLToPath(new URL("./.examples-", import.meta.url)));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The examples in a file's doc comments: where each begins, and its lines. */
function examplesOf(text: string): { line: number; code: string[] }[] {
  const examples: { line: number; code: string[] }[] = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index++) {
    if (!/^\s*\* ```ts$/.test(lines[index]!)) continue;
    const end = lines.findIndex((line, place) => place > index && /^\s*\* ```$/.test(line));
    examples.push({
      line: index + 2,
      code: lines.slice(index + 1, end).map((line) => line.replace(/^\s*\* ?/, "")),
    });
    index = end;
  }
  return examples;
}

/** A value in a comment behind an expression is what the expression must be; lines below it belong to it. */
function withExpectations(code: readonly string[]): string {
  return code
    .join("\n")
    .replace(
      /^(.+;) \/\/ at most (\d+)$/gm,
      (_, expression: string, most: string) => `check((${expression.slice(0, -1)}) <= ${most}, true);`,
    )
    .replace(
      /^(\S.*);(?: |\n)((?:\/\/ ?.*(?:\n|$))+)/gm,
      (whole: string, expression: string, comment: string) => {
        const value = comment.replace(/^\/\/ ?/gm, "");
        try {
          return `check((${expression}), ${JSON.stringify(JSON.parse(value))});\n`;
        } catch {
          return whole;
        }
      },
    );
}

/** What is there before an example runs. */
const SETTING = `
const registry = await openRegistry("example.db");
await registry.models.create({ modelId: "a", sourceType: "local", alias: "best" });
await registry.models.create({ modelId: "b", sourceType: "local" });
await registry.models.create({ modelId: "gone", sourceType: "local" });
await registry.models.delete("gone");
`;
const TINY = `await registry.models.create({ modelId: "x", sourceType: "local", alias: "tiny.q4_k_m" });`;

const examples = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .flatMap((file) =>
    examplesOf(readFileSync(join(source, file), "utf8")).map(({ line, code }) => ({
      name: `${file}:${line}`,
      code,
    })),
  );

test("the documentation has examples", () => {
  expect(examples.length).toBeGreaterThanOrEqual(6);
});

test("every example of the documentation runs, and its values are what it says", async () => {
  const names = new Map<string, string>();
  let expectations = 0;
  for (const [index, { name, code }] of examples.entries()) {
    const file = join(folder, `${index}.ts`);
    const body = withExpectations(code);
    expectations += body.split("check(").length - 1;
    const opens = body.includes("openRegistry(");
    const setting = opens ? "" : `${SETTING}${body.includes("models.create(") ? "" : TINY}`;
    writeFileSync(
      file,
      [
        `import { ${Object.keys(api).join(", ")} } from "../../src/index.ts";`,
        `import { deepStrictEqual as check } from "node:assert";`,
        setting,
        `{\n${body}\n}`,
        opens ? "" : "await registry.close();",
      ].join("\n"),
    );
    names.set(pathToFileURL(file).href, name);
  }
  expect(expectations, "values are checked").toBeGreaterThanOrEqual(4);
  const running = startProcess("examples.ts", { files: [...names.keys()] });
  const failures = await running.next<string[]>("failures");
  for (const [file, name] of names)
    failures.forEach((text, place) => (failures[place] = text.replace(file, name)));
  expect(failures).toEqual([]);
  await running.ended;
}, 30_000);
