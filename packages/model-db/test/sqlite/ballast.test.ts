import { existsSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect } from "vitest";

import { openRegistry } from "../../src/index.ts";
import { test } from "./folder.ts";

const MEGABYTE = 1024 * 1024;

// That it does what it is for, on a full disk: tooling/crash-lab.
describe("the ballast", () => {
  test("is there beside a registry that was opened to write", async ({ folder }) => {
    const path = join(folder, "registry.db");
    await (await openRegistry(path)).close();
    expect(statSync(`${path}.ballast`).size).toBe(MEGABYTE);
  });

  test("is made whole again by the next that opens it to write, and by nobody who reads", async ({
    folder,
  }) => {
    const path = join(folder, "registry.db");
    await (await openRegistry(path)).close();
    truncateSync(`${path}.ballast`, 4096);
    await (await openRegistry(path, { mode: "read" })).close();
    expect(statSync(`${path}.ballast`).size).toBe(4096);
    await (await openRegistry(path)).close();
    expect(statSync(`${path}.ballast`).size).toBe(MEGABYTE);
  });

  test("is not made beside a file that is none of ours", async ({ folder }) => {
    const path = join(folder, "other.db");
    writeFileSync(path, "something else");
    await expect(openRegistry(path)).rejects.toMatchObject({ code: "not_a_registry" });
    expect(existsSync(`${path}.ballast`)).toBe(false);
  });
});
