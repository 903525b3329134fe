import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";

import { CortexDb } from "../../src/legacy/cortex-db.ts";
import type { LegacyItem } from "../../src/legacy/legacy-entry.ts";
import { contentsOf } from "../contents-of.ts";
import { writeCortexDb, writeFile } from "../old-data.ts";
import { temporaryFolder } from "../temporary-folder.ts";

function read(path: string): { items: LegacyItem[]; notes: string[] } {
  using store = new CortexDb(path);
  const items = [...store.scan()];
  const entries = items.filter((item) => item.kind === "entry");
  expect(entries.map(({ position }) => store.entryAt(position))).toEqual(entries);
  return { items, notes: store.notes.map(({ code }) => code) };
}

describe.each(["none", 0, 1, 2, 3] as const)("schema %s", (schema) => {
  test("is read, and neither it nor its folder is changed", () => {
    const folder = temporaryFolder();
    const path = writeCortexDb(folder, schema, [
      {
        model_id: "A:R:f.gguf",
        author_repo_id: "A",
        branch_name: "main",
        path_to_model_yaml: "models/f.yml",
        model_alias: "f",
        model_format: "hf-gguf",
        model_source: "",
        status: "downloaded",
        engine: "llama-cpp",
        metadata: '{"size":1}',
      },
      { model_id: "second" },
    ]);
    const before = contentsOf(folder);
    const { items } = read(path);
    expect(items).toMatchObject([
      {
        kind: "entry",
        line: 1,
        modelId: "A:R:f.gguf",
        author: "A",
        branch: "main",
        configPath: "models/f.yml",
        alias: "f",
      },
      { kind: "entry", line: 2, modelId: "second", author: null, alias: null, status: null },
    ]);
    expect(items[0]).toMatchObject(
      schema === "none" || schema === 0
        ? { modelFormat: null, status: null, metadata: null }
        : {
            modelFormat: "hf-gguf",
            status: "downloaded",
            engine: "llama-cpp",
            metadata: schema === 1 ? null : '{"size":1}',
          },
    );
    expect(contentsOf(folder)).toEqual(before);
  });
});

test("the columns count, not the version: an old release renumbers a newer file", () => {
  const path = writeCortexDb(temporaryFolder(), 3, [{ model_id: "a", status: "downloadable" }]);
  const database = new Database(path);
  database.exec("UPDATE schema_version SET version = 0");
  database.close();
  expect(read(path).items).toMatchObject([{ status: "downloadable" }]);
});

test("rows without an id are refused, each one", () => {
  const path = writeCortexDb(temporaryFolder(), 3, [
    { model_alias: "x" },
    { model_id: "" },
    { model_id: "a" },
  ]);
  expect(read(path).items).toMatchObject([
    { kind: "refusal", line: 1, code: "id_absent", text: expect.stringContaining('"model_alias":"x"') },
    { kind: "refusal", line: 2, code: "id_absent" },
    { kind: "entry", line: 3 },
  ]);
});

test("bytes that are no text are refused; a replacement character that was written is kept", () => {
  const path = writeCortexDb(temporaryFolder(), 3, [
    { model_id: "bad" },
    { model_id: "blob", engine: Buffer.from("x") },
    { model_id: "is \ufffd" },
  ]);
  const database = new Database(path);
  database.exec("UPDATE models SET model_alias = CAST(x'636166e9' AS TEXT) WHERE model_id = 'bad'");
  database.close();
  expect(read(path).items).toMatchObject([
    { code: "not_utf8" },
    { code: "not_utf8" },
    { kind: "entry", modelId: "is \ufffd" },
  ]);
});

test("a file in write-ahead mode is read with what is only in its log, and left alone", () => {
  const folder = temporaryFolder();
  const path = writeCortexDb(folder, 3, [{ model_id: "a" }]);
  const writer = new Database(path);
  writer.pragma("journal_mode = WAL");
  writer.exec("INSERT INTO models (model_id) VALUES ('b')");
  const copy = join(temporaryFolder(), "cortex.db");
  for (const end of ["", "-wal"]) writeFileSync(copy + end, readFileSync(path + end));
  writer.close();
  const before = contentsOf(join(copy, ".."));
  expect(read(copy).items).toMatchObject([{ modelId: "a" }, { modelId: "b" }]);
  expect(contentsOf(join(copy, ".."))).toEqual(before);
});

test("a journal that the old program left when it died is rolled back in a copy only", () => {
  const folder = temporaryFolder();
  const path = writeCortexDb(folder, 3, [{ model_id: "a" }]);
  const writer = new Database(path);
  writer.pragma("cache_size = 1");
  writer.exec("BEGIN; UPDATE models SET model_alias = 'torn';");
  const insert = writer.prepare("INSERT INTO models (model_id, metadata) VALUES (?, ?)");
  for (let index = 0; index < 200; index++) insert.run(`half-${index}`, "x".repeat(2000));
  const copy = join(temporaryFolder(), "cortex.db");
  for (const end of ["", "-journal"]) writeFileSync(copy + end, readFileSync(path + end));
  writer.exec("ROLLBACK");
  writer.close();
  const before = contentsOf(join(copy, ".."));
  expect(read(copy).items).toMatchObject([{ modelId: "a", alias: null }]);
  expect(contentsOf(join(copy, ".."))).toEqual(before);
});

test("no lock is taken: the old program can write meanwhile, and that is noticed", () => {
  const path = writeCortexDb(temporaryFolder(), 3, [{ model_id: "a" }]);
  using store = new CortexDb(path);
  store.assertUnchanged();
  const writer = new Database(path, { timeout: 0 });
  writer.exec("INSERT INTO models (model_id) VALUES ('b')");
  writer.close();
  expect(() => store.assertUnchanged()).toThrow(/changed by another program/);
});

test("more rows than are read at once are read once each, in their order", () => {
  const rows = Array.from({ length: 1203 }, (_, index) => ({ model_id: `m${index}` }));
  const { items } = read(writeCortexDb(temporaryFolder(), 3, rows));
  expect(items.map((item) => item.kind === "entry" && item.modelId)).toEqual(
    rows.map(({ model_id }) => model_id),
  );
});

test("an empty file is an empty store, and says so", () => {
  expect(read(writeFile(join(temporaryFolder(), "cortex.db"), ""))).toEqual({
    items: [],
    notes: ["empty_store"],
  });
});

test("what else is in the file is named, without its secrets", () => {
  const path = writeCortexDb(temporaryFolder(), 3, []);
  const database = new Database(path);
  database.exec(
    "CREATE TABLE engines (engine_name TEXT, api_key TEXT); INSERT INTO engines VALUES ('openai', 'sk-secret')",
  );
  database.close();
  using store = new CortexDb(path);
  expect(store.notes).toMatchObject([{ code: "other_table" }]);
  expect(JSON.stringify(store.notes)).not.toContain("sk-secret");
});

test("a table that a failed downgrade left is read when it is all there is, and named when it is not", () => {
  const path = writeCortexDb(temporaryFolder(), 3, [{ model_id: "a" }]);
  const database = new Database(path);
  database.exec(
    "CREATE TABLE models_old AS SELECT * FROM models; INSERT INTO models_old (model_id) VALUES ('b')",
  );
  expect(read(path)).toMatchObject({ items: [{ modelId: "a" }], notes: ["models_old_left"] });
  database.exec("DROP TABLE models");
  database.close();
  expect(read(path)).toMatchObject({
    items: [{ modelId: "a" }, { modelId: "b" }],
    notes: ["models_old_read"],
  });
});

describe("refused as a whole:", () => {
  test("what is no database", () => {
    const path = writeFile(
      join(temporaryFolder(), "cortex.db"),
      "this is not a database at all, but long enough to be one".repeat(20),
    );
    expect(() => new CortexDb(path)).toThrow(/is not a database/);
  });

  test("a database without models", () => {
    const path = join(temporaryFolder(), "cortex.db");
    const database = new Database(path);
    database.exec("CREATE TABLE other (x)");
    database.close();
    expect(() => new CortexDb(path)).toThrow(/no table "models"/);
  });

  test("a damaged one", () => {
    const path = writeCortexDb(
      temporaryFolder(),
      3,
      Array.from({ length: 500 }, (_, index) => ({ model_id: `model-${index}` })),
    );
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 4096, 12_288);
    writeFileSync(path, bytes);
    expect(() => [...new CortexDb(path).scan()]).toThrow(/damaged|not a database/);
  });

  test("one in which `models` is a view: a registry answers through it", () => {
    const path = join(temporaryFolder(), "cortex.db");
    const database = new Database(path);
    database.exec("CREATE TABLE t (model_id); CREATE VIEW models AS SELECT * FROM t");
    database.close();
    expect(() => new CortexDb(path)).toThrow(/is a registry already/);
  });
});
