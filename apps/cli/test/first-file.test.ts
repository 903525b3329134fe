import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { expect, test } from "vitest";

import { builtProgram, Sandbox } from "./cortex.ts";

// 68,000 when this was written. Each further kilobyte takes a start longer; what no list needs belongs behind `import()`.
const MAX_BYTES = 69_000;

test.skipIf(builtProgram === undefined)("a list loads one file, and a small one", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "a", "--source-type", "local");
  const tellLoaded = `
    process.argv.splice(1, 0, "cortex");
    process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(sandbox.path("loaded"))}, Object.keys(require.cache).join("\\n")));
    require(${JSON.stringify(builtProgram)});
  `;
  execFileSync(process.execPath, ["-e", tellLoaded, "list"], { env: { CORTEX_DB: sandbox.db } });
  expect(readFileSync(sandbox.path("loaded"), "utf8")).toBe(builtProgram);
  expect(statSync(builtProgram!).size).toBeLessThanOrEqual(MAX_BYTES);
});

test.skipIf(builtProgram === undefined)("what a list calls is compiled with the file", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "a", "--source-type", "local");
  const coverage = sandbox.path("coverage");
  execFileSync(process.execPath, [builtProgram!, "list"], {
    env: { CORTEX_DB: sandbox.db, NODE_V8_COVERAGE: coverage },
  });
  const [report] = readdirSync(coverage);
  const { result } = JSON.parse(readFileSync(path.join(coverage, report!), "utf8")) as Coverage;
  const { functions } = result.find(({ url }) => url === pathToFileURL(builtProgram!).href)!;
  const code = readFileSync(builtProgram!, "utf8");
  const called = functions
    .map(({ ranges: [whole] }) => whole!)
    .filter(({ count }) => count > 0)
    // The text of a method begins with its name.
    .filter(({ startOffset }) => /^(async )?function\b/.test(code.slice(startOffset, startOffset + 20)));
  expect(called.length).toBeGreaterThan(50);
  // V8 compiles with the file what stands in parentheses.
  const late = called.filter(({ startOffset }) => code[startOffset - 1] !== "(");
  expect(late.map(({ startOffset, endOffset }) => code.slice(startOffset, endOffset))).toEqual([]);
});

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly { startOffset: number; endOffset: number; count: number }[];
    }[];
  }[];
}
