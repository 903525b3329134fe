import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

const source = fileURLToPath(new URL("../../src", import.meta.url));

/** What the files of a folder import, types and all: from the file to the name. */
function importsOf(folder: string): string[] {
  return readdirSync(join(source, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => {
      const text = readFileSync(join(source, folder, file), "utf8");
      return [...text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)].map(([, name]) => `${file} → ${name}`);
    });
}

describe("inside the package", () => {
  test("the repositories know no engine", () => {
    const imports = importsOf("repositories");
    expect(imports.length).toBeGreaterThan(20);
    expect(imports.filter((name) => /sqlite|postgres|"pg"|node:(?!os|timers)/.test(name))).toEqual([]);
  });

  test("the domain is true without a database: it imports no other room, and does no I/O", () => {
    const imports = importsOf("domain");
    expect(imports.length).toBeGreaterThan(10);
    const foreign = imports.filter((name) => !/→ (\.\/[\w-]+\.ts|\.\.\/errors\.ts)$/.test(name));
    expect(foreign).toEqual([]);
  });

  test("a migration imports nothing of the schema as it is today", () => {
    const imports = importsOf("migrations").filter((name) => !name.startsWith("index.ts"));
    expect(imports.filter((name) => !name.endsWith("→ ./migration.ts"))).toEqual([]);
  });
});
