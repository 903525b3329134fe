import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import Database from "better-sqlite3";
import { expect } from "vitest";

import { createSnapshot, openRegistry, repairRegistry } from "../../src/index.ts";
import { test } from "../sqlite/folder.ts";

const ENGINES = [
  { id: 1, engine_name: "llama-cpp", api_key: "" },
  { id: 7, engine_name: "openai", api_key: "sk-not-a-real-key" },
];
const WORDS = {
  model_id: "old:1",
  model_alias: "",
  status: null,
  model_format: "local",
  metadata: "not JSON",
};

/** A registry in the database of another program, with a model that the program spelled in its own way. */
async function shared(folder: string): Promise<string> {
  const path = join(folder, "cortex.db");
  await using registry = await openRegistry(path);
  await registry.models.create({ modelId: "ours", sourceType: "local" });
  const database = new Database(path);
  database.exec(
    "CREATE TABLE engines (id INTEGER PRIMARY KEY AUTOINCREMENT, engine_name TEXT, api_key TEXT, UNIQUE (engine_name))",
  );
  const insert = database.prepare("INSERT INTO engines VALUES (@id, @engine_name, @api_key)");
  for (const engine of ENGINES) insert.run(engine);
  const columns = Object.keys(WORDS);
  database
    .prepare(`INSERT INTO models (${columns.join()}) VALUES (${columns.map((name) => `@${name}`).join()})`)
    .run(WORDS);
  database.close();
  return path;
}

function expectOthersWhole(path: string): void {
  const database = new Database(path, { readonly: true });
  expect(database.prepare("SELECT * FROM engines ORDER BY id").all()).toEqual(ENGINES);
  expect(
    database.prepare(`SELECT ${Object.keys(WORDS).join()} FROM models WHERE model_id = 'old:1'`).get(),
  ).toEqual(WORDS);
  database.close();
}

function damageModels(path: string): void {
  const bytes = readFileSync(path);
  const at = bytes.indexOf("ours");
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(path, bytes);
}

test("a repair brings along what another program keeps in the same file", async ({ folder }) => {
  const path = await shared(folder);
  damageModels(path);
  const report = await repairRegistry(path);
  expect(report?.otherTables).toEqual([{ name: "engines", rowCount: ENGINES.length }]);
  expectOthersWhole(path);
});

test("a repair of a file that is gone takes it from the snapshot", async ({ folder }) => {
  const path = await shared(folder);
  await createSnapshot(path, join(folder, "backup"));
  writeFileSync(path, "");
  const report = await repairRegistry(path, { from: join(folder, "backup") });
  expect(report?.otherTables).toEqual([{ name: "engines", rowCount: ENGINES.length }]);
  expectOthersWhole(path);
});
