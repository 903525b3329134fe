import { join } from "node:path";

import Database from "better-sqlite3";
import { describe, expect } from "vitest";

import { openRegistry, type Model, type Registry } from "../../src/index.ts";
import { MIGRATIONS } from "../../src/migrations/index.ts";
import { expectInvalid, expectRefusal } from "../contract/refusal.ts";
import { contentsOf, test } from "./folder.ts";
import { toSchema } from "./to-schema.ts";

const LATEST = MIGRATIONS.length;

async function fill(registry: Registry): Promise<void> {
  await registry.models.createMany(
    Array.from({ length: 40 }, (_, index) => ({
      modelId: `model-${index}`,
      sourceType: "local" as const,
      alias: `alias-${index}`,
      aliases: [`more-${index}`],
      tags: ["t", `t${index}`],
      notes: `needle ${index}`,
      metadata: { index },
      files: [{ path: `p${index}`, role: "weights" as const, sizeBytes: index }],
    })),
  );
  await registry.models.update("model-1", { notes: "changed needle" });
  await registry.models.delete("model-2");
  await registry.runs.acquire("model-3", { holder: "h" });
}

/** Every table with its rows, as they are stored. */
function tablesOf(path: string): Record<string, unknown[]> {
  const database = new Database(path, { readonly: true });
  const names = database
    .prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'model_search%' AND name NOT LIKE 'sqlite_%'",
    )
    .pluck()
    .all() as string[];
  const tables = Object.fromEntries(
    names.toSorted().map((name) => [name, database.prepare(`SELECT * FROM ${name}`).all()]),
  );
  expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
  expect(database.pragma("foreign_key_check")).toEqual([]);
  database.close();
  return tables;
}

const withoutRunning = (model: Model): object => ({ ...model, status: 0, rowVersion: 0, rowChecksum: "" });

describe("migrations", () => {
  test("go down step by step and up again, each with its record, and keep what other steps brought", async ({
    folder,
  }) => {
    const path = join(folder, "registry.db");
    const registry = await openRegistry(path);
    await fill(registry);
    const full = tablesOf(path);
    const models = (await registry.models.list({ limit: 1000 })).items;
    const tablesAt: string[][] = [];
    for (let version = LATEST; version > 0; version--) {
      tablesAt[version] = Object.keys(tablesOf(path));
      expect(await registry.migrate(version - 1)).toEqual({ from: version, to: version - 1 });
      const status = await registry.schema();
      expect(status).toMatchObject({ version: version - 1, latest: LATEST });
      expect(status.migrations.map(({ appliedAt }) => appliedAt !== null)).toEqual(
        MIGRATIONS.map((step) => step.version < version),
      );
      const left = tablesOf(path);
      for (const name of Object.keys(left)) {
        if (name === "migration") continue;
        // What a later step added to a table is gone.
        const [columns, ...rows] = [Object.keys(left[name]![0] ?? {}), ...full[name]!];
        const before = rows.map((row) => only(columns, row as object));
        if (name !== "model") expect(left[name], `${name} at ${version - 1}`).toEqual(before);
        else expect(left[name]!.map(plain), `${name} at ${version - 1}`).toEqual(before.map(plain));
      }
    }
    expect(Object.keys(tablesOf(path))).toEqual(["migration", "registry"]);
    for (let version = 1; version <= LATEST; version++) {
      expect(await registry.migrate(version)).toEqual({ from: version - 1, to: version });
      expect(Object.keys(tablesOf(path))).toEqual(tablesAt[version]);
    }
    expect(await registry.models.list()).toEqual({ items: [], nextCursor: null });
    await fill(registry);
    expect((await registry.models.list({ limit: 1000 })).items.map(timeless)).toEqual(models.map(timeless));
    await registry.close();
  });

  test.for(Array.from({ length: LATEST - 1 }, (_, index) => index + 1))(
    "from version %i with data in all its tables go up to the newest, and every model, name, tag and file is there",
    async (version, { folder }) => {
      const path = join(folder, "registry.db");
      let models: readonly Model[];
      {
        await using registry = await openRegistry(path);
        await fill(registry);
        models = (await registry.models.list({ limit: 1000 })).items;
        await registry.migrate(version);
      }
      await using registry = await openRegistry(path);
      expect((await registry.schema()).version).toBe(LATEST);
      expect((await registry.models.list({ limit: 1000 })).items.map(withoutRunning)).toEqual(
        models.map(withoutRunning),
      );
      expect((await registry.models.resolve("more-7")).modelId).toBe("model-7");
      expect(await registry.models.count({ tags: { all: ["t", "t9"] } })).toBe(1);
      expect(await registry.files.list("model-5")).toHaveLength(1);
      expect(await registry.models.count({ search: "needle" })).toBe(39);
      expect(await registry.models.count({ search: "changed" })).toBe(1);
      expect(await registry.models.count({ filter: { status: 1 } })).toBe(version < 3 ? 0 : 1);
      await registry.models.update("model-4", { notes: "after" });
      expect(await registry.models.count({ search: "after" })).toBe(1);
      await registry.runs.acquire("model-4", { holder: "h" });
      await registry.models.delete("model-5");
      tablesOf(path);
    },
  );

  test("the search index is written anew in pages of half the size, also what old programs left", async ({
    folder,
  }) => {
    const path = join(folder, "registry.db");
    await using registry = await openRegistry(path);
    await registry.models.createMany(
      Array.from({ length: 300 }, (_, index) => ({
        modelId: `model-${index}`,
        sourceType: "local" as const,
      })),
    );
    const database = new Database(path);
    const longest = database.prepare("SELECT max(length(block)) FROM model_search_data").pluck();
    await registry.migrate(12);
    await registry.models.create({ modelId: "model-old-pages", sourceType: "local" });
    database.exec("INSERT INTO model_search (model_search) VALUES ('optimize')");
    expect(longest.get()).toBeGreaterThan(3000);
    database.exec("INSERT INTO models (model_id, model_alias) VALUES ('model-unseen', 'unseen')");

    await registry.migrate();

    expect(longest.get()).toBeLessThan(2100);
    expect(await registry.models.count({ search: "model-" })).toBe(302);
    await registry.models.update("model-7", { notes: "after" });
    expect(await registry.models.count({ search: "model-" })).toBe(302);
    database.close();
  });

  test("a model whose history was dropped is never shown by half", async ({ folder }) => {
    await using registry = await openRegistry(join(folder, "registry.db"));
    await fill(registry);
    await registry.migrate(1);
    await registry.migrate();
    expect(await registry.history.modelAt("model-6", Date.now())).toBeUndefined();
    const updated = await registry.models.update("model-6", { notes: "after" });
    const seen = await registry.history.modelAt("model-6", Date.now());
    if (seen !== undefined) expect(seen).toEqual(updated);
    await registry.models.delete("model-6");
    expect(await registry.history.modelAt("model-6", Date.now())).toBeUndefined();
  });

  test("a step that fails leaves the version before it, and its data", async ({ folder }) => {
    const path = join(folder, "registry.db");
    for (let version = 1; version < LATEST; version++) {
      await using registry = await openRegistry(path);
      if (version === 1) await fill(registry);
      await registry.migrate(version);
      const { up } = MIGRATIONS[version]!.sqlite;
      // What the step makes last is there already: all of it before that must be undone.
      const made = [...up.matchAll(/CREATE (?:VIRTUAL )?(TABLE|INDEX|TRIGGER|VIEW) (\w+)/g)].at(-1);
      // What is made only where there is none is in nobody's way, and what makes nothing meets nothing.
      if (made === undefined || made[2] === "IF") continue;
      const database = new Database(path);
      const before = tablesOf(path);
      database.exec(`CREATE TABLE holder (x) STRICT`.replace("(x)", "(x TEXT)"));
      database.exec(
        made[1] === "TABLE" || made[1] === "VIEW"
          ? `CREATE TABLE ${made[2]} (x TEXT) STRICT`
          : `CREATE INDEX ${made[2]} ON holder (x)`,
      );
      if (made[1] !== "TRIGGER") {
        await expect(registry.migrate(version + 1), `step ${version + 1}`).rejects.toBeInstanceOf(Error);
        expect((await registry.schema()).version).toBe(version);
      }
      database.exec(
        `DROP ${made[1] === "INDEX" || made[1] === "TRIGGER" ? "INDEX" : "TABLE"} ${made[2]}; DROP TABLE holder`,
      );
      database.close();
      expect(tablesOf(path)).toEqual(before);
      await registry.migrate();
    }
  });

  test("to where the registry is already do nothing", async ({ folder }) => {
    await using registry = await openRegistry(join(folder, "registry.db"));
    await fill(registry);
    const { "registry.db-shm": _, ...before } = contentsOf(folder);
    expect(await registry.migrate()).toEqual({ from: LATEST, to: LATEST });
    expect(await registry.migrate(LATEST)).toEqual({ from: LATEST, to: LATEST });
    const { "registry.db-shm": __, ...after } = contentsOf(folder);
    expect(after).toEqual(before);
  });

  test("to a version that there is not are refused", async ({ folder }) => {
    await using registry = await openRegistry(join(folder, "registry.db"));
    for (const target of [-1, LATEST + 1, 1.5, Number.NaN, "1"])
      await expectInvalid("target", registry.migrate(target as number));
    expect((await registry.schema()).version).toBe(LATEST);
  });

  test("say when each was applied", async ({ folder }) => {
    const before = Date.now();
    await using registry = await openRegistry(join(folder, "registry.db"));
    for (const { appliedAt, name } of (await registry.schema()).migrations) {
      expect(appliedAt, name).toBeGreaterThanOrEqual(before);
      expect(appliedAt, name).toBeLessThanOrEqual(Date.now());
    }
  });

  test("are not made where that is not wanted: the schema can be asked for and migrated, all else is refused", async ({
    folder,
  }) => {
    const path = join(folder, "registry.db");
    for (const version of [0, 1, 2, 3]) {
      {
        await using registry = await openRegistry(path);
        await registry.models.createMany([{ modelId: "a", sourceType: "local" }], { onExisting: "skip" });
        await registry.migrate(version);
      }
      await using registry = await openRegistry(path, { migrate: false });
      expect((await registry.schema()).version).toBe(version);
      const calls: (() => Promise<unknown>)[] = [
        () => registry.models.create({ modelId: "b", sourceType: "local" }),
        () => registry.models.list({ search: "abc" }),
        () => registry.models.list(),
        () => registry.history.list(),
        () => registry.runs.list(),
        () => registry.watch({ after: 0 }).next(),
      ];
      for (const call of calls) {
        const outcome = await Promise.race([
          call().catch((error: unknown) => error),
          new Promise((resolve) => setTimeout(resolve, 100)),
        ]);
        if (outcome instanceof Error)
          expect(outcome, `version ${version}`).toMatchObject({
            name: "RegistryError",
            code: "schema_too_old",
          });
      }
      await expectRefusal("schema_too_old", registry.models.create({ modelId: "b", sourceType: "local" }));
      expect((await registry.migrate()).to).toBe(LATEST);
      await registry.models.create({ modelId: `b${version}`, sourceType: "local" });
      expect((await registry.models.list()).items.length).toBeGreaterThan(0);
    }
  });

  test("made by one handle while another is open are met by the other", async ({ folder }) => {
    const path = join(folder, "registry.db");
    await using registry = await openRegistry(path);
    await using other = await openRegistry(path);
    await fill(registry);
    await other.models.list({ search: "needle" });
    await registry.migrate(3);
    await expectRefusal("schema_too_old", other.models.list({ search: "needle" }));
    await registry.migrate();
    expect((await other.models.list({ search: "needle", limit: 100 })).items).toHaveLength(39);
    await other.models.update("model-7", { notes: "n" });
  });
});

function plain(row: unknown): object {
  // A lease that goes away with its table leaves its model READY.
  return { ...(row as object), status: 0, row_version: 0, row_checksum: "" };
}

function only(columns: readonly string[], row: object): object {
  return Object.fromEntries(Object.entries(row).filter(([column]) => columns.includes(column)));
}

function timeless(model: Model): object {
  return { ...model, createdAt: 0, updatedAt: 0, lastUsedAt: 0, rowChecksum: "" };
}

describe("a program that is open while another brings the schema up", () => {
  test("writes nothing into what it does not know", async ({ folder }) => {
    const path = join(folder, "registry.db");
    await using registry = await openRegistry(path);
    await registry.models.create({ modelId: "a", sourceType: "local" });
    const database = new Database(path);
    toSchema(database, LATEST + 1);
    database.close();
    await expectRefusal("schema_too_new", registry.models.update("a", { notes: "old" }));
    await expectRefusal("schema_too_new", registry.models.create({ modelId: "b", sourceType: "local" }));
    expect((await registry.models.list()).items.map(({ notes }) => notes)).toEqual([null]);
  });
});
