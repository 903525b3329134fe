import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { shippedSql } from "../../scripts/ship-sql.ts";

test("the shipped SQL is what the query builder compiles today (else run scripts/ship-sql.ts)", async () => {
  for (const [name, text] of Object.entries(await shippedSql())) {
    expect(readFileSync(new URL(`../../src/database/sqlite/${name}`, import.meta.url), "utf8")).toBe(text);
  }
});

test("no change makes the others wait until the query builder is loaded", () => {
  const folder = mkdtempSync(join(tmpdir(), "shipped-sql-"));
  try {
    const printed = execFileSync(
      process.execPath,
      [
        "--conditions=@cortex/source",
        new URL("../processes/every-change.ts", import.meta.url).pathname,
        join(folder, "registry.db"),
      ],
      { encoding: "utf8" },
    );
    expect(JSON.parse(printed)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
