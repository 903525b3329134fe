import type { Migration } from "./migration.ts";

/**
 * Digests of files on this machine, registered or not, so that none is read twice to be recognised. They hold as long
 * as the file's size, time and inode are what they were; going down forgets them.
 */
export const createFileDigest: Migration = {
  version: 10,
  name: "file-digest",
  readableBy: 7,
  sqlite: {
    up: `
      CREATE TABLE file_digest (
        path TEXT PRIMARY KEY,
        size_bytes INTEGER NOT NULL,
        modified_at INTEGER NOT NULL,
        inode TEXT NOT NULL,
        sample_sha256 TEXT,
        sha256 TEXT
      ) STRICT, WITHOUT ROWID;
    `,
    down: `
      DROP TABLE file_digest;
    `,
  },
};
