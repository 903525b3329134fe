import type { Migration } from "./migration.ts";

/**
 * What a registry is known by, wherever its file goes: backups, write-ahead logs and processes that
 * have it open are told apart by `registry_id`, 32 random hexadecimal digits. And from which schema on
 * a program can read what a step of the schema has left.
 */
export const createRegistry: Migration = {
  version: 5,
  name: "registry",
  readableBy: 5,
  sqlite: {
    up: `
      CREATE TABLE registry (
        registry_id TEXT NOT NULL PRIMARY KEY,
        created_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      INSERT INTO registry (registry_id, created_at)
        VALUES (lower(hex(randomblob(16))), CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER));
      ALTER TABLE migration ADD COLUMN readable_by INTEGER NOT NULL DEFAULT 5;
    `,
    down: `
      ALTER TABLE migration DROP COLUMN readable_by;
      DROP TABLE registry;
    `,
  },
};
