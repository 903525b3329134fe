import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { openRegistry } from "@cortex/model-db";
import { OldProgram, openPlainConnection, type ModelEntry } from "@cortex/old-program";
import Database from "better-sqlite3";
import { beforeEach, describe, expect, test } from "vitest";

import { contentsOf } from "./contents-of.ts";
import { writeCortexDb, writeModel, writeModelList, type OldRow } from "./old-data.ts";
import { registryModels } from "./registry-models.ts";
import { runProgram, startProgram } from "./run-program.ts";
import { temporaryFolder } from "./temporary-folder.ts";

let home: string;
let data: string;
let path: string;
beforeEach(() => {
  home = temporaryFolder();
  data = join(home, "cortexcpp");
  path = join(data, "cortex.db");
});

const SOURCE = "https://huggingface.co/bartowski/phi-4-GGUF";
const TINY: OldRow = {
  model_id: "tinyllama:1b-gguf",
  author_repo_id: "cortexso",
  branch_name: "1b-gguf",
  path_to_model_yaml: "models/cortex.so/tinyllama/1b-gguf/model.yml",
  model_alias: "tinyllama:1b-gguf",
  model_format: "",
  model_source: "",
  status: "downloaded",
  engine: "",
  metadata: "",
};
const ROWS: OldRow[] = [
  TINY,
  {
    ...TINY,
    model_id: "mine",
    author_repo_id: "",
    branch_name: "imported",
    path_to_model_yaml: "models/imported/mine.yml",
    model_alias: "tinyllama:1b-gguf",
    model_format: "local",
    model_source: "imported",
  },
  { model_id: "upgraded", author_repo_id: "local", branch_name: "imported", model_alias: "up" },
  {
    ...TINY,
    model_id: "gpt-4o",
    author_repo_id: "",
    branch_name: "",
    path_to_model_yaml: "models/remote/gpt-4o.yml",
    model_alias: "gpt-4o",
    model_format: "remote",
    model_source: "imported",
    status: "remote",
    engine: "openai",
  },
  {
    model_id: "bartowski:phi-4-GGUF:phi-4-Q8_0.gguf",
    author_repo_id: "bartowski",
    branch_name: "main",
    path_to_model_yaml: "",
    model_alias: "",
    model_format: "hf-gguf",
    model_source: SOURCE,
    status: "downloadable",
    engine: "llama-cpp",
    metadata: '{"author": "bartowski", "size": 1.50, "name": "\\u00fc", "gguf": {"total": 14659507200}}',
  },
];

/** What the other tables of version 3 hold, as text. */
function otherTables(): unknown {
  const database = new Database(path, { readonly: true });
  try {
    return ["schema_version", "engines", "hardware", "files", "sqlite_sequence"].map((table) => [
      database.prepare("SELECT sql FROM sqlite_schema WHERE name = ?").pluck().get(table),
      database.prepare(`SELECT rowid, * FROM ${table}`).all(),
    ]);
  } finally {
    database.close();
  }
}

function addOtherTables(): void {
  const database = new Database(path);
  database.exec(`
    CREATE TABLE hardware (uuid TEXT PRIMARY KEY, type TEXT NOT NULL, hardware_id INTEGER NOT NULL, software_id INTEGER NOT NULL, activated INTEGER NOT NULL CHECK (activated IN (0, 1)), priority INTEGER);
    INSERT INTO hardware VALUES ('GPU-5b3a', 'gpu', 0, 0, 1, 2147483647);
    CREATE TABLE engines (id INTEGER PRIMARY KEY AUTOINCREMENT,engine_name TEXT,type TEXT,api_key TEXT,url TEXT,version TEXT,variant TEXT,status TEXT,metadata TEXT,date_created TEXT DEFAULT CURRENT_TIMESTAMP,date_updated TEXT DEFAULT CURRENT_TIMESTAMP,UNIQUE(engine_name, variant));
    INSERT INTO engines (id, engine_name, variant, api_key, metadata) VALUES (4, 'openai', 'all', 'sk-not-a-key', 'not json');
    CREATE TABLE files (id TEXT PRIMARY KEY,object TEXT,purpose TEXT,filename TEXT,created_at INTEGER,bytes INTEGER);
    INSERT INTO files VALUES ('file-01', 'file', 'assistants', 'notes with space.txt', 1735689700, 12);
  `);
  database.close();
}

/** The old program's own words for all its models, by its own statement. */
function oldRows(): unknown[] {
  const database = new Database(path, { readonly: true });
  try {
    return database.prepare("SELECT * FROM models").all();
  } finally {
    database.close();
  }
}

async function asOldProgram<T>(use: (old: OldProgram) => Promise<T>): Promise<T> {
  const connection = openPlainConnection(path);
  try {
    return await use(new OldProgram(connection));
  } finally {
    await connection.close();
  }
}

function inPlace(...words: string[]): string {
  const { code, out, err } = runProgram(home, "--in-place", data, ...words);
  expect(code, err).toBe(0);
  return out;
}

describe("cortex-migrate --in-place", () => {
  test("puts the registry into the old file: the old program finds its version, its rows word for word and its other tables", async () => {
    writeCortexDb(data, 3, ROWS);
    addOtherTables();
    writeModel(data, "models/imported/mine.yml", "files:\n  - mine.gguf\nengine: llama-cpp\n", {
      "models/imported/mine.gguf": 8,
    });
    const [rows, others] = [oldRows(), otherTables()];
    const list = await asOldProgram((old) => old.loadModelList());
    inPlace();
    expect(oldRows()).toEqual(rows);
    expect(otherTables()).toEqual(others);
    expect(await asOldProgram((old) => old.loadModelList())).toEqual(list);
    expect(await asOldProgram((old) => old.schemaVersion())).toBe(3);
    expect(await asOldProgram((old) => old.findRelatedModel("tiny"))).toEqual(["tinyllama:1b-gguf"]);
    expect(await asOldProgram((old) => old.getModelSources())).toHaveLength(2);
    const database = new Database(path, { readonly: true });
    expect(database.pragma("journal_mode", { simple: true })).toBe("wal");
    expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
    expect(database.pragma("foreign_key_check")).toEqual([]);
    database.close();
  });

  test("makes the same registry as a migration beside it does", async () => {
    writeCortexDb(data, 3, ROWS);
    writeModelList(data, "from-list a main /1.yml listed READY\n");
    const beside = join(home, "registry.db");
    runProgram(home, data, "--to", beside);
    inPlace();
    const models = await registryModels(path);
    expect(Object.keys(models)).toContain("from-list");
    expect(models).toEqual(await registryModels(beside));
    await using registry = await openRegistry(path);
    expect((await registry.models.list({ search: "phi-4" })).items).toHaveLength(1);
    expect((await registry.models.resolve("listed")).modelId).toBe("from-list");
    const { items } = await registry.history.list({ limit: 1000 });
    expect(items.map(({ kind, actor }) => `${kind} ${actor}`)).toEqual(
      items.map(() => "created cortex-migrate"),
    );
    await using other = await openRegistry(beside);
    expect(registry.registryId).not.toBe(other.registryId);
  });

  test("is followed by work on both sides", async () => {
    writeCortexDb(data, 3, ROWS);
    inPlace();
    await using registry = await openRegistry(path, { actor: "me" });
    const entry = await asOldProgram((old) => old.getModelInfo("tinyllama:1b-gguf"));
    const changed: ModelEntry = { ...entry, engine: "llama-cpp", branchName: "gguf" };
    await asOldProgram((old) => old.updateModelEntry(entry.model, changed));
    // The path was a relative one, and its model's is an absolute one: neither word changed.
    expect(await registry.models.get(entry.model)).toMatchObject({
      engine: "llama-cpp",
      branch: "gguf",
      configPath: join(data, TINY.path_to_model_yaml as string),
      rowVersion: 2,
    });
    await registry.models.update("up", { engine: "onnx" });
    expect(await asOldProgram((old) => old.getModelInfo("upgraded"))).toMatchObject({ engine: "onnx" });
    await asOldProgram((old) => old.deleteModelEntry("gpt-4o"));
    expect(await registry.models.find("gpt-4o")).toBeUndefined();
  });

  test.each(["none", 0, 1, 2] as const)(
    "brings schema %s to version 3, as the old program's own migrations do",
    async (schema) => {
      writeCortexDb(
        data,
        schema,
        ROWS.map((row) => ({ ...row, status: row.status ?? "downloaded" })),
      );
      const database = new Database(path);
      if (schema !== "none")
        database.exec(
          "CREATE TABLE hardware (uuid TEXT PRIMARY KEY, type TEXT NOT NULL, hardware_id INTEGER NOT NULL, software_id INTEGER NOT NULL, activated INTEGER NOT NULL CHECK (activated IN (0, 1))); INSERT INTO hardware VALUES ('GPU-5b3a', 'gpu', 0, 0, 1)",
        );
      database.close();
      const before = oldRows();
      inPlace();
      expect(await asOldProgram((old) => old.schemaVersion())).toBe(3);
      expect(oldRows()).toEqual(
        before.map((row) => ({
          model_format: null,
          model_source: null,
          status: null,
          engine: null,
          metadata: null,
          ...(row as object),
        })),
      );
      expect(otherTables()).toMatchObject([
        [expect.stringContaining("version INTEGER PRIMARY KEY"), [{ version: 3 }]],
        [expect.stringContaining("UNIQUE(engine_name, variant)"), []],
        [
          expect.stringMatching(/CHECK \(activated IN \(0, 1\)\), priority INTEGER\)$/),
          schema === "none" ? [] : [{ uuid: "GPU-5b3a", priority: null }],
        ],
        [expect.stringContaining("bytes INTEGER"), []],
        [expect.any(String), []],
      ]);
    },
  );

  test("makes readable what stopped the old program's own list", async () => {
    writeCortexDb(data, 3, [TINY, { ...TINY, model_id: "soon", status: "undownloaded" }]);
    await expect(asOldProgram((old) => old.loadModelList())).rejects.toThrow("Invalid status string");
    inPlace();
    const list = await asOldProgram((old) => old.loadModelList());
    expect(list.map(({ model, status }) => [model, status])).toEqual([
      ["tinyllama:1b-gguf", "downloaded"],
      ["soon", "downloadable"],
    ]);
  });

  test("takes an empty file, too", async () => {
    mkdirSync(data);
    new Database(path).close();
    copyFileSync("/dev/null", path);
    inPlace();
    expect(await asOldProgram((old) => old.loadModelList())).toEqual([]);
    expect(await asOldProgram((old) => old.schemaVersion())).toBe(3);
  });

  test("changes nothing when it is run again, but adds what the list has since, and keeps the old version", async () => {
    writeCortexDb(data, 3, ROWS);
    inPlace();
    const models = await registryModels(path);
    expect(inPlace()).toContain("There is nothing to migrate");
    expect(await registryModels(path)).toEqual(models);
    writeModelList(data, "from-list a main /1.yml listed READY\n");
    const database = new Database(path);
    database.exec("UPDATE schema_version SET version = 0");
    database.close();
    inPlace();
    expect(await asOldProgram((old) => old.schemaVersion())).toBe(3);
    expect(Object.keys(await registryModels(path))).toEqual(["from-list", ...Object.keys(models)]);
    // As any registry, it is no old store any more.
    expect(runProgram(home, path).err).toContain("is a registry already");
  });

  test("with --dry-run says what it would do, and touches nothing", () => {
    writeCortexDb(data, 3, ROWS);
    writeModelList(data, "from-list a main /1.yml listed READY\n");
    const before = contentsOf(home);
    const document = JSON.parse(inPlace("--dry-run", "--json")) as Record<string, unknown>;
    expect(document).toMatchObject({ dry_run: true, registry: path, changed: true, backup: null });
    expect(document["data"]).toHaveLength(6);
    expect(contentsOf(home)).toEqual(before);
  });

  test("with --rollback gives the old program its own file back", async () => {
    writeCortexDb(data, 3, ROWS);
    addOtherTables();
    const [rows, others] = [oldRows(), otherTables()];
    const list = await asOldProgram((old) => old.loadModelList());
    inPlace();
    await using registry = await openRegistry(path);
    await registry.models.create({ modelId: "later", sourceType: "local" });
    await registry.close();
    const refused = runProgram(home, "--in-place", data, "--rollback");
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining("changed since")]);
    expect(inPlace("--rollback", "-y")).toContain("is what it was before the migration");
    expect(oldRows()).toEqual(rows);
    expect(otherTables()).toEqual(others);
    const database = new Database(path, { readonly: true });
    expect(database.prepare("SELECT type FROM sqlite_schema WHERE name = 'models'").pluck().get()).toBe(
      "table",
    );
    expect(
      database
        .prepare("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'model\\_%' ESCAPE '\\'")
        .pluck()
        .get(),
    ).toBe(0);
    expect(database.pragma("journal_mode", { simple: true })).toBe("delete");
    database.close();
    expect(readdirSync(data)).toEqual(["cortex.db", "cortex.db.backups"]);
    expect(await asOldProgram((old) => old.loadModelList())).toEqual(list);
    expect(runProgram(home, "--in-place", data, "--rollback", "-y")).toMatchObject({
      code: 3,
      err: expect.stringContaining("nothing to take back") as string,
    });
    inPlace();
    expect(await asOldProgram((old) => old.loadModelList())).toEqual(list);
  });

  test("refuses what has no place: no cortex.db, a registry elsewhere, a store that others write", async () => {
    writeModelList(data, "a x main /1.yml one READY\n");
    expect(runProgram(home, "--in-place", data)).toMatchObject({
      code: 3,
      err: expect.stringContaining("has no cortex.db") as string,
    });
    writeCortexDb(data, 3, ROWS);
    expect(runProgram(home, "--in-place", data, "--to", join(home, "r.db")).code).toBe(2);
    const before = contentsOf(data);
    const database = new Database(path);
    database.exec("BEGIN EXCLUSIVE");
    const busy = runProgram(home, "--in-place", data);
    database.close();
    expect([busy.code, busy.err]).toEqual([1, expect.stringContaining("Stop the programs that use it")]);
    expect(contentsOf(data)).toEqual(before);
    // The library names the way, too.
    await expect(openRegistry(path)).rejects.toMatchObject({
      code: "not_a_registry",
      message: expect.stringContaining("cortex-migrate --in-place") as string,
    });
  });

  test("that is killed has done nothing or everything, and can be run again", async () => {
    writeCortexDb(
      data,
      3,
      Array.from({ length: 500 }, (_, index) => ({
        ...TINY,
        model_id: `m${index}`,
        model_alias: `a${index}`,
      })),
    );
    const untouched = join(home, "untouched.db");
    copyFileSync(path, untouched);
    const list = await asOldProgram((old) => old.loadModelList());
    const seen = { before: 0, after: 0 };
    for (let round = 0; round < 5; round++) {
      expect(["-wal", "-shm", "-journal"].filter((end) => existsSync(path + end))).toEqual([]);
      copyFileSync(untouched, path);
      const child = startProgram(home, "--in-place", data);
      const ended = once(child, "exit");
      await new Promise((resolve) => setTimeout(resolve, 400 + round * 120));
      child.kill("SIGKILL");
      await ended;
      expect(await asOldProgram((old) => old.loadModelList())).toEqual(list);
      const database = new Database(path);
      const isTable =
        database.prepare("SELECT type FROM sqlite_schema WHERE name = 'models'").pluck().get() === "table";
      expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
      database.close();
      seen[isTable ? "before" : "after"]++;
      inPlace();
      expect(await asOldProgram((old) => old.loadModelList())).toEqual(list);
      await expectRegistry(500);
    }
    expect(seen.before).toBeGreaterThan(0);
    expect(readdirSync(`${path}.backups`).length).toBeGreaterThan(0);
  }, 60_000);
});

async function expectRegistry(count: number): Promise<void> {
  await using registry = await openRegistry(path);
  expect(await registry.models.count()).toBe(count);
  expect(await registry.models.count({ search: "tinyllama" })).toBe(0);
}
