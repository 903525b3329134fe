import type { Migration } from "./migration.ts";

/**
 * Models, their names, tags and files. The model row is the whole record; `model_name` and `model_tag`
 * are what the database guards and finds it by. `seq` is the order of registration: other tables point
 * at it because it is small and no row ever changes it. Words that may become more are not listed here.
 */
export const createModel: Migration = {
  version: 1,
  name: "model",
  readableBy: 1,
  sqlite: {
    up: `
      CREATE TABLE model (
        seq INTEGER PRIMARY KEY,
        model_id TEXT NOT NULL UNIQUE,
        source_type TEXT NOT NULL,
        author_repo TEXT,
        branch TEXT,
        config_path TEXT,
        alias TEXT,
        aliases TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(aliases)),
        status INTEGER NOT NULL DEFAULT 0 CHECK (status IN (0, 1)),
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        availability TEXT NOT NULL DEFAULT 'present',
        engine TEXT,
        format TEXT,
        architecture TEXT,
        quantization TEXT,
        parameter_count INTEGER,
        context_length INTEGER,
        size_bytes INTEGER,
        capabilities TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(capabilities)),
        metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata)),
        tags TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tags)),
        notes TEXT,
        pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
        last_used_at INTEGER,
        row_version INTEGER NOT NULL DEFAULT 1,
        row_checksum TEXT NOT NULL DEFAULT ''
      ) STRICT;
      CREATE INDEX model_author_repo ON model (author_repo);
      CREATE INDEX model_running ON model (status) WHERE status = 1;

      CREATE TABLE model_name (
        name TEXT NOT NULL PRIMARY KEY,
        model_seq INTEGER NOT NULL REFERENCES model (seq) ON DELETE CASCADE
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX model_name_model ON model_name (model_seq);

      CREATE TABLE model_tag (
        model_seq INTEGER NOT NULL REFERENCES model (seq) ON DELETE CASCADE,
        tag TEXT NOT NULL,
        PRIMARY KEY (model_seq, tag)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX model_tag_tag ON model_tag (tag, model_seq);

      CREATE TABLE model_file (
        model_id TEXT NOT NULL REFERENCES model (model_id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        role TEXT NOT NULL,
        size_bytes INTEGER,
        sha256 TEXT,
        verified_at INTEGER,
        source TEXT,
        row_checksum TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (model_id, path)
      ) STRICT, WITHOUT ROWID;
    `,
    down: `
      DROP TABLE model_file;
      DROP TABLE model_tag;
      DROP TABLE model_name;
      DROP TABLE model;
    `,
  },
};
