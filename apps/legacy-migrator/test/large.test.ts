import { execFileSync } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { writeModelList } from "./old-data.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const MIGRATE = fileURLToPath(new URL("../src/migrate.ts", import.meta.url));
const MEBIBYTE = 1024 * 1024;

// Runs in a process of its own, so that its memory is its own.
const PROGRAM = `
  import { migrate } from ${JSON.stringify(MIGRATE)};
  const [from, to] = process.argv.slice(1);
  const { counts, verified } = await migrate({ from, to, env: {} });
  console.log(JSON.stringify({ counts, verified, peakBytes: process.resourceUsage().maxRSS * 1024 }));
`;

interface Measured {
  readonly counts: { readonly created: number; readonly renamed: number; readonly merged: number };
  readonly verified: { readonly compared: number; readonly mismatchCount: number } | null;
  readonly peakBytes: number;
}

function migrateLines(count: number): Measured {
  const data = temporaryFolder();
  const descriptor = openSync(writeModelList(data, ""), "w");
  for (let index = 0; index < count; index++) {
    const id = `huggingface.co/author${index % 997}/repo-${index}-GGUF/model-${index}.Q4_K_M.gguf`;
    writeSync(
      descriptor,
      `${id} author${index % 997} main /home/old/cortexcpp/models/${id}.yml model-${index}.q4_k_m READY\n`,
    );
  }
  closeSync(descriptor);
  const words = [
    "--max-old-space-size=128",
    "--conditions=@cortex/source",
    "--input-type=module",
    "-e",
    PROGRAM,
    data,
    join(data, "registry.db"),
  ];
  return JSON.parse(execFileSync(process.execPath, words, { encoding: "utf8" })) as Measured;
}

test("a hundred thousand lines are migrated and verified in a heap of 128 MiB", () => {
  const { counts, verified, peakBytes } = migrateLines(100_000);
  expect(counts).toMatchObject({ created: 100_000, renamed: 0, merged: 0 });
  expect(verified).toMatchObject({ compared: 100_000, mismatchCount: 0 });
  expect(peakBytes).toBeLessThan(400 * MEBIBYTE);
}, 180_000);
