import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { test as base, type TestAPI } from "vitest";

/** A vitest `test` with an empty folder of its own. */
export const test: TestAPI<{ folder: string }> = base.extend<{ folder: string }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads the names of the fixtures that it uses
  folder: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), "model-db-"));
    await use(folder);
    rmSync(folder, { recursive: true, force: true });
  },
});

/** The files of a folder by name, each with its size and a digest of its bytes. */
export function contentsOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .toSorted()
      .map((name) => {
        const path = join(folder, name);
        if (statSync(path).isDirectory()) return [name, "folder"];
        const bytes = readFileSync(path);
        return [
          name,
          `${bytes.length} bytes ${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`,
        ];
      }),
  );
}
