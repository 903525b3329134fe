import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";

import { expect, test } from "vitest";

import { builtProgram, Sandbox } from "./cortex.ts";

// 71,000 when this was written. Each further kilobyte takes a start longer; what no list needs belongs behind `import()`.
const MAX_BYTES = 75_000;

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
