import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect } from "vitest";

import { test } from "../harness.ts";

const page = readFileSync(new URL("../../../../docs/http.md", import.meta.url), "utf8");
const blocks = Array.from(page.matchAll(/```sh\n(.*?)```/gs), ([, block]) => block!);

test("what docs/http.md tells to type works, in its order", { timeout: 60_000 }, async ({ service }) => {
  const folder = mkdtempSync(join(tmpdir(), "http-page-"));
  // A reader sees what a failure says; here it ends the script.
  const failing = 'curl() { command curl -f "$@"; }\n';
  const script = failing + blocks.join("\n").replaceAll("http://127.0.0.1:39281", service.url);
  try {
    const { stdout } = await promisify(execFile)("sh", ["-ec", script], { cwd: folder });
    expect(stdout).toContain('"notes":"the small one"');
    expect(stdout).toContain('"is_sound":true');
    expect(await service.registry.runs.list()).toHaveLength(1);
    expect(await service.registry.models.get("tinyllama:1b-gguf")).toMatchObject({ pinned: true });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
