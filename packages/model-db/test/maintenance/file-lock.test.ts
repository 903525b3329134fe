import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "vitest";

import { lockFile } from "../../src/maintenance/file-lock.ts";
import { expectRefusal } from "../contract/refusal.ts";
import { test } from "../sqlite/folder.ts";

const describeHolder = (holder: string): string => `${holder} has it.`;

test("a lock has one holder at a time, who is named, and its file stays for the next", async ({ folder }) => {
  const path = join(folder, "a.lock");
  for (let round = 0; round < 2; round++) {
    using _ = lockFile(path, describeHolder);
    const refusal = await expectRefusal("database_busy", () => lockFile(path, describeHolder));
    expect(refusal.message).toBe(`process ${process.pid} has it.`);
  }
  // Who opened it while it was held must not be left with a file that is gone.
  expect(readFileSync(path).length).toBeGreaterThan(0);
});

test("a lock is there to be taken whatever a power cut has left of its file", ({ folder }) => {
  const path = join(folder, "a.lock");
  lockFile(path, describeHolder)[Symbol.dispose]();
  const whole = readFileSync(path);
  for (const left of [Buffer.alloc(0), Buffer.alloc(whole.length), whole.subarray(0, 512)]) {
    writeFileSync(path, left);
    lockFile(path, describeHolder)[Symbol.dispose]();
  }
});
