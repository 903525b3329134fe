import type { Migration } from "./migration.ts";

/** Unix milliseconds, in words that old programs' SQLite knows, too. */
const NOW = "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)";

/** A model as the history keeps it: `0006` makes this view for old programs, which delete by it. */
function recordView(ownership: string): string {
  return `CREATE VIEW model_record (seq, record) AS
        SELECT seq, (SELECT json_group_object(key,
            json(CASE type WHEN 'text' THEN json_quote(value) WHEN 'true' THEN 'true' ELSE value END))
          FROM json_each(json_object('model_id', model_id, 'source_type', source_type, 'author_repo', author_repo,
            'branch', branch, 'config_path', config_path, 'alias', alias, 'aliases', json(aliases),
            'status', status, 'created_at', created_at, 'updated_at', updated_at,
            'availability', availability, 'engine', engine, 'format', format, 'architecture', architecture,
            'quantization', quantization, 'parameter_count', parameter_count,
            'context_length', context_length, 'size_bytes', size_bytes, 'capabilities', json(capabilities),
            'metadata', json(metadata), 'tags', json(tags), 'notes', notes,
            'pinned', json(iif(pinned, 'true', 'false')), ${ownership}'last_used_at', last_used_at,
            'row_version', row_version, 'row_checksum', row_checksum,
            'files', json((SELECT json_group_array(json_object('path', path, 'role', role,
              'size_bytes', size_bytes, 'sha256', sha256, 'verified_at', verified_at, 'source', source))
              FROM model_file WHERE model_file.model_id = model.model_id))))
          WHERE NOT (type IN ('null', 'false') OR (type IN ('array', 'object') AND value IN ('[]', '{}'))))
        FROM model;`;
}

/** A checksum may be filled in where there is none; nothing else of an event ever changes. */
function noUpdate(origin: string): string {
  return `CREATE TRIGGER model_event_no_update BEFORE UPDATE ON model_event
        WHEN NOT (OLD.row_checksum = '' AND OLD.event_id = NEW.event_id AND OLD.model_id = NEW.model_id
          AND OLD.kind = NEW.kind AND OLD.actor = NEW.actor AND OLD.at = NEW.at
          AND OLD.row_version = NEW.row_version AND OLD.before IS NEW.before AND OLD.after IS NEW.after${origin})
        BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;`;
}

/**
 * Who may do what. A model can have an owner, and be private to it; an event says where a change came
 * from. Of a token only the SHA-256 of its secret is kept. `access_revision` grows with each change of
 * who may do what, so that other processes notice at little cost; it begins at the time, so that no two
 * beginnings are the same. The words of roles and scopes may become more, and are not listed here.
 *
 * On the way down owners go with an entry in the history, as by a change of an old program; and what is
 * left without a checksum gets one from the next program that writes.
 */
export const createAccess: Migration = {
  version: 7,
  name: "access",
  // An older program would take the checksums of owned models for damage.
  readableBy: 7,
  sqlite: {
    up: `
      ALTER TABLE model ADD COLUMN owner TEXT;
      ALTER TABLE model ADD COLUMN private INTEGER NOT NULL DEFAULT 0
        CHECK (private = 0 OR (private = 1 AND owner IS NOT NULL));

      ALTER TABLE model_event ADD COLUMN origin TEXT CHECK (origin IS NULL OR json_valid(origin));
      CREATE INDEX model_event_deleted ON model_event (model_id) WHERE kind = 'deleted';
      DROP TRIGGER model_event_no_update;
      ${noUpdate(" AND OLD.origin IS NEW.origin")}

      DROP VIEW model_record;
      ${recordView("'owner', owner, 'private', json(iif(private, 'true', 'false')), ")}

      CREATE TABLE access_user (
        name TEXT NOT NULL PRIMARY KEY,
        created_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE access_grant (
        user_name TEXT NOT NULL REFERENCES access_user (name) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        role TEXT NOT NULL,
        pattern TEXT,
        tag TEXT,
        owner TEXT,
        PRIMARY KEY (user_name, number)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE access_token (
        token_id TEXT NOT NULL PRIMARY KEY,
        user_name TEXT NOT NULL REFERENCES access_user (name) ON DELETE CASCADE,
        name TEXT,
        secret_sha256 TEXT NOT NULL,
        scopes TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(scopes)),
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        last_used_at INTEGER,
        revoked_at INTEGER
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX access_token_user ON access_token (user_name);

      CREATE TABLE access_revision (
        number INTEGER PRIMARY KEY CHECK (number = 1),
        revision INTEGER NOT NULL
      ) STRICT;
      INSERT INTO access_revision (number, revision) VALUES (1, ${NOW});
    `,
    down: `
      DROP TABLE access_revision;
      DROP TABLE access_token;
      DROP TABLE access_grant;
      DROP TABLE access_user;

      DROP TRIGGER model_event_no_update;
      UPDATE model_event SET row_checksum = '' WHERE origin IS NOT NULL;
      INSERT OR IGNORE INTO model_unseen (event_id, model_seq)
        SELECT event_id, coalesce((SELECT seq FROM model WHERE model.model_id = model_event.model_id), 0)
        FROM model_event WHERE origin IS NOT NULL;
      INSERT INTO model_event (model_id, kind, actor, at, row_version, before, after)
        SELECT model_id, 'updated', 'registry', ${NOW}, row_version + 1,
          iif(private, json_object('owner', owner, 'private', json('true')), json_object('owner', owner)),
          iif(private, json_object('owner', NULL, 'private', json('false')), json_object('owner', NULL))
        FROM model WHERE owner IS NOT NULL ORDER BY seq;
      INSERT INTO model_unseen (event_id, model_seq)
        SELECT max(event_id), seq FROM model JOIN model_event USING (model_id) WHERE owner IS NOT NULL GROUP BY seq;
      UPDATE model SET updated_at = event.at, row_version = event.row_version, row_checksum = ''
        FROM (SELECT model_id, at, row_version, max(event_id) FROM model_event GROUP BY model_id) AS event
        WHERE owner IS NOT NULL AND event.model_id = model.model_id;

      DROP VIEW model_record;
      ${recordView("")}
      DROP INDEX model_event_deleted;
      ALTER TABLE model_event DROP COLUMN origin;
      ALTER TABLE model DROP COLUMN private;
      ALTER TABLE model DROP COLUMN owner;
      ${noUpdate("")}
    `,
  },
};
