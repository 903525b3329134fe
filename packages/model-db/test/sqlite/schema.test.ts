import { createHash } from "node:crypto";
import { join } from "node:path";

import Database from "better-sqlite3";
import { describe, expect } from "vitest";

import { MODEL_FIELDS, openRegistry } from "../../src/index.ts";
import { MIGRATIONS } from "../../src/migrations/index.ts";
import { test } from "./folder.ts";

/** The released migrations. One that is listed here is never edited; a new one is added below. */
const RELEASED: [version: number, name: string, sha256: string][] = [
  [1, "model", "38be7b6cacb616852c1de14f86232158292ef305ab3e5e477019b39c404b8dc4"],
  [2, "history", "80e9ad6c3f94228d90746d77dce9a53a87d439a865a08f12cc1b00889e2cefaa"],
  [3, "run", "e54e0ec0b120a61bb61c5b26792ec7141431e5fd9b14876b0b3c328b971e0de4"],
  [4, "search", "2187ca1fe910287577d154a6c23ccfba2f0d683c875468011dee08d7d34e7220"],
  [5, "registry", "cdaebbed53c04242f45a577b3b7f4e5c1773b23f677f28cba1b5710846fc32dd"],
  [6, "old-clients", "1c065f77257be1f80daa92e4bdaaadd20dcd854c5542d88c54ef9772d7e5acd2"],
  [7, "access", "a758c6430e0ea237e25cef0f8c39f88659120ca12b80f9617f944edc79194c99"],
  [8, "idempotent-answer", "ebcdd10164ba9d8724409f786ba854a9f507fa48f32668bf777bc5d74e62c4af"],
  [9, "transfer", "35970e2df16f48b08196f5782f90f32e6ed66a8ec934a03cd8645bac5c4a0cb9"],
  [10, "file-digest", "d2a54e3eaab05073f270ee5ab694eabc3d168bc37399e46f4b1cd0a040b22c0c"],
  [11, "file-index", "e108fdf8ec43fe59ae94bb28e9b3057f157fb3fc6ee3942ad1009217d6232d4a"],
  [12, "event-index", "e636318497366ff14e16574feed34abff9af96bbdbeffbc89c5568ba97d59989"],
  [13, "search-pages", "ff2e3c37a5bb8bad5b8727bdb79f28734e392586550d2f799138afc602b19571"],
];

// How the SQL is indented means nothing.
function digest({ up, down }: { up: string; down: string }): string {
  return createHash("sha256").update(`${up}\n${down}`.replaceAll(/\s+/g, " ").trim()).digest("hex");
}

async function filled(folder: string): Promise<Database.Database> {
  const path = join(folder, "registry.db");
  const registry = await openRegistry(path);
  await registry.models.create({
    modelId: "a",
    sourceType: "local",
    alias: "b",
    tags: ["t"],
    files: [{ path: "p", role: "weights" }],
  });
  await registry.models.create({ modelId: "c", sourceType: "local", alias: null });
  await registry.runs.acquire("a", { holder: "h" });
  await registry.close();
  const database = new Database(path);
  database.pragma("foreign_keys = ON");
  return database;
}

describe("the schema", () => {
  test("is made by migrations that are frozen once released", () => {
    const present = MIGRATIONS.map(({ version, name, sqlite }) => [version, name, digest(sqlite)]);
    expect(present.slice(0, RELEASED.length)).toEqual(RELEASED);
    expect(present.length, "list the new migration as released, once it is").toBe(RELEASED.length);
  });

  test("numbers its migrations from 1, each by its own name", () => {
    expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
    expect(new Set(MIGRATIONS.map(({ name }) => name)).size).toBe(MIGRATIONS.length);
  });

  test("has only STRICT tables, beside those of the search index", async ({ folder }) => {
    const database = await filled(folder);
    const tables = database
      .prepare<[], { name: string; type: string; strict: number }>(
        "SELECT name, type, strict FROM pragma_table_list WHERE schema = 'main'",
      )
      .all()
      .filter(({ name, type }) => type === "table" && !name.startsWith("sqlite_"));
    expect(tables.length).toBeGreaterThanOrEqual(7);
    expect(tables.filter(({ strict }) => strict === 0)).toEqual([]);
    database.close();
  });

  test("has a column of the same name for every field of a record", async ({ folder }) => {
    const database = await filled(folder);
    const columns = database.prepare("SELECT name FROM pragma_table_info('model')").pluck().all();
    expect(new Set(columns)).toEqual(new Set(["seq", ...MODEL_FIELDS.map(({ name }) => name)]));
    database.close();
  });

  test("is marked as a registry's, with its version", async ({ folder }) => {
    const database = await filled(folder);
    expect(database.pragma("application_id", { simple: true })).toBe(0x4354584d);
    expect(database.pragma("user_version", { simple: true })).toBe(MIGRATIONS.length);
    expect(database.prepare("SELECT version, name FROM migration ORDER BY version").raw().all()).toEqual(
      MIGRATIONS.map(({ version, name }) => [version, name]),
    );
    database.close();
  });

  const refused: [what: string, sql: string][] = [
    [
      "the same id twice",
      "INSERT INTO model (model_id, source_type, created_at, updated_at) VALUES ('a', 'local', 0, 0)",
    ],
    ["the same name twice", "INSERT INTO model_name (name, model_seq) VALUES ('b', 2)"],
    ["a name of no model", "INSERT INTO model_name (name, model_seq) VALUES ('x', 99)"],
    ["a tag of no model", "INSERT INTO model_tag (tag, model_seq) VALUES ('x', 99)"],
    ["the same tag twice", "INSERT INTO model_tag (tag, model_seq) VALUES ('t', 1)"],
    ["a file of no model", "INSERT INTO model_file (model_id, path, role) VALUES ('x', 'p', 'weights')"],
    ["the same file twice", "INSERT INTO model_file (model_id, path, role) VALUES ('a', 'p', 'weights')"],
    ["an unknown status", "UPDATE model SET status = 2"],
    ["a flag that is none", "UPDATE model SET pinned = 2"],
    ["a private model of nobody", "UPDATE model SET private = 1"],
    ["a grant of no user", "INSERT INTO access_grant (user_name, number, role) VALUES ('x', 1, 'reader')"],
    [
      "a token of no user",
      "INSERT INTO access_token (token_id, user_name, secret_sha256, created_at) VALUES ('t', 'x', '', 0)",
    ],
    ["a second count of access changes", "INSERT INTO access_revision (number, revision) VALUES (2, 0)"],
    ["a text for a number", "UPDATE model SET size_bytes = 'large'"],
    ["a fraction for a number", "UPDATE model SET size_bytes = 1.5"],
    ["metadata that is no JSON", "UPDATE model SET metadata = '{'"],
    ["tags that are no JSON", "UPDATE model SET tags = 'x'"],
    ["aliases that are no JSON", "UPDATE model SET aliases = ''"],
    ["capabilities that are no JSON", "UPDATE model SET capabilities = '[,]'"],
    ["a changed event", "UPDATE model_event SET actor = 'x' WHERE event_id = 1"],
    ["a deleted event", "DELETE FROM model_event WHERE event_id = 1"],
    ["a deleted history", "DELETE FROM model_event"],
    [
      "a replaced event",
      "REPLACE INTO model_event (event_id, model_id, kind, actor, at, row_version) VALUES (1, 'a', 'created', 'x', 0, 1)",
    ],
    [
      "an event put in the place of another",
      "INSERT INTO model_event (event_id, model_id, kind, actor, at, row_version) VALUES (1, 'a', 'created', 'x', 0, 1) ON CONFLICT (event_id) DO UPDATE SET actor = 'x'",
    ],
    [
      "an event whose before is no JSON",
      "INSERT INTO model_event (model_id, kind, actor, at, row_version, before) VALUES ('a', 'created', 'x', 0, 1, '{')",
    ],
    ["a lease of no model", "UPDATE model_run SET model_id = 'x'"],
  ];
  test("itself refuses what would break it", async ({ folder }) => {
    const database = await filled(folder);
    const dump = (): string =>
      JSON.stringify(
        ["model", "model_name", "model_tag", "model_file", "model_event", "model_run"].map((table) =>
          database.prepare(`SELECT * FROM ${table}`).raw().all(),
        ),
      );
    const before = dump();
    const accepted = refused.filter(([, sql]) => {
      try {
        database.exec(sql);
        return true;
      } catch {
        return false;
      }
    });
    expect(accepted.map(([what]) => what)).toEqual([]);
    expect(dump()).toBe(before);
    database.close();
  });

  test("takes all that belongs to a model away with it, and leaves its history", async ({ folder }) => {
    const database = await filled(folder);
    database.exec("DELETE FROM model");
    for (const table of ["model_name", "model_tag", "model_file", "model_run"]) {
      expect(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get(), table).toBe(0);
    }
    expect(database.prepare("SELECT count(*) FROM model_event").pluck().get()).toBe(3);
    database.close();
  });
});
