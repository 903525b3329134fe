import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import type { ResultData } from "../src/report.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "cortex-bench-test-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test(
  "each case has a process of its own, which it is prepared in, and one that ends takes no other with it",
  { timeout: 60_000 },
  () => {
    const json = join(folder, "result.json");
    const program = join(import.meta.dirname, "processes/cases-apart.ts");
    const run = spawnSync(process.execPath, ["--conditions=@cortex/source", program, "--json", json], {
      encoding: "utf8",
    });

    expect(run.stdout).toContain("ends, 10 models: FAILED: its process ended by exit code 7");
    expect(run.stdout).toContain("1 cases failed.");
    expect(run.status).toBe(1);
    const [first, ends, second] = JSON.parse(readFileSync(json, "utf8")) as ResultData[];
    expect(ends).toMatchObject({ name: "ends", size: 10, failure: expect.stringContaining("exit code 7") });
    const pids = [run.pid, first!.facts![0]!.value, second!.facts![0]!.value];
    expect(new Set(pids).size).toBe(3);
    for (const { facts } of [first!, second!]) expect(facts![1]!.value).toBe(facts![0]!.value);
  },
);
