/** Runs examples of the documentation, each a module written around it, each in a folder of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { say } from "./say.ts";

const { files } = JSON.parse(process.argv[2]!) as { files: string[] };
const home = process.cwd();
const failures: string[] = [];
for (const file of files) {
  const folder = mkdtempSync(join(tmpdir(), "example-"));
  process.chdir(folder);
  try {
    await import(file);
  } catch (error) {
    failures.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    process.chdir(home);
    rmSync(folder, { recursive: true, force: true });
  }
}
say("failures", failures);
