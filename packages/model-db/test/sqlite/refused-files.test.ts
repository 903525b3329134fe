import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import Database from "better-sqlite3";
import { describe, expect } from "vitest";

import { openRegistry, type ErrorCode } from "../../src/index.ts";
import { SCHEMA_VERSION } from "../../src/migrations/schema-version.ts";
import { expectRefusal } from "../contract/refusal.ts";
import { contentsOf, test } from "./folder.ts";
import { toSchema } from "./to-schema.ts";

const MODES = ["create", "write", "read"] as const;

/** Makes a database in a folder of its own as a process leaves it that was killed: with its log beside it. */
function killedDatabase(
  folder: string,
  make: (database: Database.Database) => void,
  mode: "WAL" | "DELETE",
): string {
  const elsewhere = join(folder, "elsewhere");
  const left = join(folder, "left");
  mkdirSync(elsewhere);
  mkdirSync(left);
  const database = new Database(join(elsewhere, "registry.db"));
  database.pragma(`journal_mode = ${mode}`);
  make(database);
  if (mode === "DELETE") {
    // A transaction too large for the cache has written to the file, and its journal is hot.
    database.exec("CREATE TABLE IF NOT EXISTS filler (x BLOB)");
    database.pragma("cache_size = 1");
    database.exec("BEGIN");
    const insert = database.prepare("INSERT INTO filler VALUES (randomblob(4000))");
    for (let index = 0; index < 50; index++) insert.run();
  }
  for (const file of readdirSync(elsewhere)) copyFileSync(join(elsewhere, file), join(left, file));
  if (database.inTransaction) database.exec("ROLLBACK");
  database.close();
  return left;
}

async function expectUntouched(
  folder: string,
  code: ErrorCode,
  modes: readonly (typeof MODES)[number][] = MODES,
): Promise<void> {
  const before = contentsOf(folder);
  for (const mode of modes) {
    const refusal = await expectRefusal(code, openRegistry(join(folder, "registry.db"), { mode }), mode);
    expect(refusal.message, mode).toContain("registry.db");
    const after = contentsOf(folder);
    for (const name of Object.keys(before)) {
      // The index of a log is no data, and rebuilt by whoever looks at it first.
      if (!name.endsWith("-shm")) expect(after[name], `${name}, ${mode}`).toBe(before[name]);
    }
    for (const name of Object.keys(after))
      expect(name in before || /-(wal|shm)$/.test(name), name).toBe(true);
  }
}

async function newerRegistry(folder: string, readableBy?: number): Promise<void> {
  const path = join(folder, "registry.db");
  const registry = await openRegistry(path);
  await registry.models.create({ modelId: "a", sourceType: "local" });
  await registry.close();
  const database = new Database(path);
  const version = (database.pragma("user_version", { simple: true }) as number) + 1;
  database.pragma(`user_version = ${version}`);
  database
    .prepare("INSERT INTO migration (version, name, applied_at, readable_by) VALUES (?, 'newer', 0, ?)")
    .run(version, readableBy ?? version);
  database.pragma("wal_checkpoint(TRUNCATE)");
  database.close();
}

describe("a registry of a newer schema", () => {
  test("is refused, and not a byte of it is changed", async ({ folder }) => {
    await newerRegistry(folder);
    await expectUntouched(folder, "schema_too_new");
  });

  test("is refused, and nothing of it is changed, also where a killed process left its log", async ({
    folder,
  }) => {
    const fresh = join(folder, "fresh");
    mkdirSync(fresh);
    await newerRegistry(fresh);
    const left = killedDatabase(
      folder,
      (database) => {
        const source = new Database(join(fresh, "registry.db"), { readonly: true });
        const application = source.pragma("application_id", { simple: true }) as number;
        const version = source.pragma("user_version", { simple: true }) as number;
        source.close();
        database.pragma(`application_id = ${application}`);
        database.pragma(`user_version = ${version}`);
        database.exec("CREATE TABLE model (x)");
      },
      "WAL",
    );
    expect(readdirSync(left)).toContain("registry.db-wal");
    await expectUntouched(left, "schema_too_new");
  });

  test("can be read where its steps say that this program reads it rightly, and is never written", async ({
    folder,
  }) => {
    await newerRegistry(folder, SCHEMA_VERSION);
    const path = join(folder, "registry.db");
    const before = readFileSync(path);
    {
      await using registry = await openRegistry(path, { mode: "read" });
      expect((await registry.models.get("a")).modelId).toBe("a");
      expect((await registry.schema()).version).toBe(SCHEMA_VERSION + 1);
      await expectRefusal("read_only", registry.models.update("a", { notes: "x" }));
    }
    for (const mode of ["create", "write"] as const) {
      await expectRefusal("schema_too_new", openRegistry(path, { mode }), mode);
    }
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("is refused by a migration of an open handle, too", async ({ folder }) => {
    const path = join(folder, "registry.db");
    await using registry = await openRegistry(path);
    await registry.models.create({ modelId: "a", sourceType: "local" });
    const database = new Database(path);
    toSchema(database, 99);
    database.close();
    await expectRefusal("schema_too_new", registry.migrate());
    await expectRefusal("schema_too_new", registry.schema());
  });
});

// The tables of the old program's store, as its releases made them.
const OLD_STORES: Record<string, string> = {
  "without a version":
    "CREATE TABLE models (model_id TEXT PRIMARY KEY, author_repo_id TEXT, branch_name TEXT, path_to_model_yaml TEXT, model_alias TEXT)",
  "of version 3": `CREATE TABLE schema_version (version INTEGER PRIMARY KEY);
    INSERT INTO schema_version VALUES (3);
    CREATE TABLE models (model_id TEXT PRIMARY KEY, author_repo_id TEXT, branch_name TEXT, path_to_model_yaml TEXT,
      model_alias TEXT, model_format TEXT, model_source TEXT, status TEXT, engine TEXT, metadata TEXT);
    INSERT INTO models (model_id, model_alias) VALUES ('tinyllama:1b-gguf', 'tiny');
    CREATE TABLE hardware (uuid TEXT PRIMARY KEY, type TEXT);
    CREATE TABLE files (id TEXT PRIMARY KEY)`,
};

describe("the store of the old program", () => {
  test.for(Object.entries(OLD_STORES))(
    "%s is refused untouched, with what to do",
    async ([, sql], { folder }) => {
      const database = new Database(join(folder, "registry.db"));
      database.exec(sql);
      database.close();
      await expectUntouched(folder, "not_a_registry");
      const refusal = await expectRefusal("not_a_registry", openRegistry(join(folder, "registry.db")));
      expect(refusal.message).toContain("cortex-migrate");
    },
  );

  test("is refused untouched where a killed process left its journal", async ({ folder }) => {
    const left = killedDatabase(folder, (database) => database.exec(OLD_STORES["of version 3"]!), "DELETE");
    expect(readdirSync(left)).toContain("registry.db-journal");
    const before = contentsOf(left);
    for (const mode of MODES) {
      await expect(openRegistry(join(left, "registry.db"), { mode }), mode).rejects.toMatchObject({
        name: "RegistryError",
      });
      expect(contentsOf(left), mode).toEqual(before);
    }
  });
});

describe("a database of another program", () => {
  test.for([
    ["with a table", "CREATE TABLE bookmark (url TEXT); INSERT INTO bookmark VALUES ('x')"],
    [
      "with a table called as ours",
      "CREATE TABLE model (model_id TEXT); CREATE TABLE migration (version INTEGER)",
    ],
    ["with an application id", "PRAGMA application_id = 1; CREATE TABLE x (y)"],
    ["with an application id and nothing else", "PRAGMA application_id = 1"],
    ["with a view and no table", "CREATE VIEW answer AS SELECT 42 AS number"],
    ["with a version and nothing else", "PRAGMA user_version = 7"],
  ])("%s is refused untouched", async ([, sql], { folder }) => {
    const database = new Database(join(folder, "registry.db"));
    database.exec(sql!);
    database.close();
    await expectUntouched(folder, "not_a_registry");
  });

  test("is refused untouched where a killed process left its log", async ({ folder }) => {
    const left = killedDatabase(
      folder,
      (database) => database.exec("CREATE TABLE bookmark (url TEXT)"),
      "WAL",
    );
    await expectUntouched(left, "not_a_registry");
  });
});

describe("a file that is no database", () => {
  test.for([
    ["a text", "hello\n"],
    ["a long text", "hello\n".repeat(1000)],
    ["a list of models", "a b c d e READY\n"],
    ["zeros", "\0".repeat(4096)],
    ["a broken header", `SQLite format 3\0${"x".repeat(4096)}`],
    ["a header and nothing else", "SQLite format 3\0"],
  ] as const)("%s is refused untouched", async ([, text], { folder }) => {
    writeFileSync(join(folder, "registry.db"), text, "latin1");
    const before = contentsOf(folder);
    for (const mode of MODES) {
      await expect(openRegistry(join(folder, "registry.db"), { mode }), mode).rejects.toMatchObject({
        name: "RegistryError",
        code: expect.stringMatching(/^(not_a_registry|database_damaged)$/),
      });
      expect(contentsOf(folder), mode).toEqual(before);
    }
  });

  test("a folder is refused", async ({ folder }) => {
    for (const mode of MODES) await expectRefusal("invalid_input", openRegistry(folder, { mode }), mode);
    expect(contentsOf(folder)).toEqual({});
  });

  test("a path below a file, or with a name too long, is refused", async ({ folder }) => {
    writeFileSync(join(folder, "file"), "x");
    const belowFile = [join(folder, "file", "registry.db"), join(folder, "file", "deeper", "registry.db")];
    for (const path of [...belowFile, join(folder, "x".repeat(300))]) {
      for (const mode of MODES) {
        await expect(openRegistry(path, { mode }), path).rejects.toMatchObject({ name: "RegistryError" });
      }
    }
    for (const path of belowFile) {
      await expect(openRegistry(path), path).rejects.toMatchObject({
        code: "invalid_input",
        message: expect.stringMatching(/: a (part of its path is no folder|file is in its place)\.$/),
      });
    }
    expect(Object.keys(contentsOf(folder))).toEqual(["file"]);
  });
});

describe("an empty place", () => {
  test("becomes a registry, with the folders on the way", async ({ folder }) => {
    const path = join(folder, "deep", "er", "registry.db");
    await using registry = await openRegistry(path);
    expect(registry.location).toBe(path);
    expect(await registry.models.list()).toEqual({ items: [], nextCursor: null });
  });

  test("of an empty file becomes a registry", async ({ folder }) => {
    writeFileSync(join(folder, "registry.db"), "");
    await using registry = await openRegistry(join(folder, "registry.db"));
    expect(await registry.models.count()).toBe(0);
  });
});
