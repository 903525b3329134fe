import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import Database from "better-sqlite3";
import { expect, test } from "vitest";

import { MODEL_FIELDS, openRegistry } from "../src/index.ts";

const glossary = readFileSync(new URL("../../../docs/glossary.md", import.meta.url), "utf8");
const words = new Set(
  glossary
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .flatMap((line) => [...line.split("|")[1]!.matchAll(/`([a-z0-9_]+)`/g)].map((match) => match[1]!)),
);

test("every column of the registry stands in the glossary", async () => {
  const folder = mkdtempSync(join(tmpdir(), "glossary-"));
  try {
    const path = join(folder, "registry.db");
    await (await openRegistry(path)).close();
    const database = new Database(path, { readonly: true });
    const columns = database
      .prepare(
        `SELECT columns.name FROM pragma_table_list AS tables, pragma_table_info(tables.name) AS columns
         WHERE tables.name NOT LIKE 'sqlite%' AND tables.name NOT LIKE 'model_search_%' AND columns.name <> 'model_search'`,
      )
      .pluck()
      .all() as string[];
    database.close();
    expect(columns.length).toBeGreaterThan(40);
    expect(columns.filter((column) => !words.has(column))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("every field of a record stands in the glossary", () => {
  expect(MODEL_FIELDS.map((field) => field.name).filter((name) => !words.has(name))).toEqual([]);
});
