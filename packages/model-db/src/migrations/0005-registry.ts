import type { Migration } from "./migration.ts";

/**
 * What a registry is known by, wherever its file goes: backups, write-ahead logs and processes that
 * have it open are told apart by `registry_id`, 32 random hexadecimal digits. It stays on the way down, so
 * that they know the registry when it comes up again. And from which schema on a program can read what a
 * step of the schema has left.
 */
export const createRegistry: Migration = {
  version: 5,
  name: "registry",
  readableBy: 5,
  sqlite: {
    up: `
      CREATE TABLE IF NOT EXISTS registry (
        registry_id TEXT NOT NULL PRIMARY KEY,
        created_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      INSERT INTO registry (registry_id, created_at)
        SELECT lower(hex(randomblob(16))), CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
        WHERE NOT EXISTS (SELECT 1 FROM registry);
      ALTER TABLE migration ADD COLUMN readable_by INTEGER NOT NULL DEFAULT 5;
    `,
    down: `ALTER TABLE migration DROP COLUMN readable_by;`,
  },
};
