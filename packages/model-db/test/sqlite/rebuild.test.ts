import { join } from "node:path";

import Database from "better-sqlite3";
import { expect } from "vitest";

import { migrateOneStep } from "../../src/database/sqlite/migrate.ts";
import { openRegistry } from "../../src/index.ts";
import { MIGRATIONS } from "../../src/migrations/index.ts";
import type { Migration } from "../../src/migrations/migration.ts";
import { test } from "./folder.ts";

test("a step that builds a table anew leaves what points at it", async ({ folder }) => {
  const path = join(folder, "registry.db");
  {
    await using registry = await openRegistry(path);
    const files = [{ path: "/a.gguf", role: "weights" as const }];
    await registry.models.create({ modelId: "a", sourceType: "local", tags: ["t"], files });
    await registry.migrate(MIGRATIONS.length - 1);
  }
  const last = MIGRATIONS.at(-1)!;
  const rebuild: Migration = {
    ...last,
    sqlite: {
      ...last.sqlite,
      up: `CREATE TABLE rebuilt AS SELECT * FROM model; DROP TABLE model;
        CREATE TABLE model (seq INTEGER PRIMARY KEY, model_id TEXT NOT NULL UNIQUE) STRICT;
        INSERT INTO model SELECT seq, model_id FROM rebuilt; DROP TABLE rebuilt;`,
    },
  };
  (MIGRATIONS as Migration[])[last.version - 1] = rebuild;
  try {
    await using registry = await openRegistry(path, { migrate: false });
    await registry.migrate();
  } finally {
    (MIGRATIONS as Migration[])[last.version - 1] = last;
  }
  const database = new Database(path);
  expect(database.prepare("SELECT count(*) FROM model_name").pluck().get()).toBeGreaterThan(0);
  expect(database.prepare("SELECT count(*) FROM model_tag").pluck().get()).toBe(1);
  expect(database.prepare("SELECT count(*) FROM model_file").pluck().get()).toBe(1);
  expect(() => migrateOneStep(database, MIGRATIONS.length)).not.toThrow();
  database.close();
});
