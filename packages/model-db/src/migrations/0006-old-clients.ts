import type { Migration } from "./migration.ts";

// What follows is the SQL of triggers that run inside of programs of 2024, which have none of our functions:
// nothing newer than SQLite 3.40, nothing that a build can leave out, and no search index.

/** Unix milliseconds; `unixepoch('subsec')` is newer. */
const NOW = "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)";

/** A lease counts until a minute after its time by the wall clock: only the registry's own programs know the machine's. */
const MAY_RUN = `EXISTS (SELECT 1 FROM model_run WHERE model_run.model_id = OLD.model_id
        AND (${NOW} < renewed_at + ttl_ms + 60000 OR ${NOW} < renewed_at))`;

/** A text with whatever characters, in a few that every schema can show. */
function literal(text: string): string {
  return `CAST(x'${Buffer.from(text).toString("hex")}' AS TEXT)`;
}

// What JavaScript trims, and what no name may hold: see `parseName` of the time.
const BLANKS = literal(
  "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff",
);
const FORBIDDEN = literal(
  "*[\u0001-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]*",
);

/** Whether a text can be a name. */
function isName(text: string): string {
  return `(${text} <> '' AND length(${text}) <= 1024 AND trim(${text}, ${BLANKS}) = ${text}
        AND ${text} NOT GLOB ${FORBIDDEN})`;
}

/** Where a model came from, by the signs that the old program left. */
const SOURCE_TYPE = `CASE
        WHEN NEW.model_format = 'remote' OR '/' || replace(NEW.path_to_model_yaml, '\\', '/') GLOB '*/models/remote/*'
          THEN 'remote'
        WHEN NEW.author_repo_id = 'cortexso' OR NEW.model_format = 'cortexso'
          OR replace(NEW.path_to_model_yaml, '\\', '/') GLOB '*models/cortex.so/*' THEN 'cortex.so'
        WHEN NEW.author_repo_id = 'local' OR NEW.branch_name = 'imported' OR NEW.model_source = 'imported'
          OR NEW.model_format = 'local' OR replace(NEW.path_to_model_yaml, '\\', '/') GLOB '*models/imported/*'
          THEN 'local'
        WHEN NEW.model_format = 'hf-gguf' OR NEW.model_source GLOB 'http*://huggingface.co/*'
          OR NEW.model_id GLOB 'huggingface.co/*'
          OR replace(NEW.path_to_model_yaml, '\\', '/') GLOB '*models/huggingface.co/*'
          OR (NEW.author_repo_id <> '' AND length(NEW.model_id) - length(replace(NEW.model_id, ':', '')) = 2
            AND substr(NEW.model_id, 1, length(NEW.author_repo_id) + 1) = NEW.author_repo_id || ':')
          THEN 'huggingface'
        WHEN NEW.status = 'remote' THEN 'remote'
        ELSE 'local' END`;

/** No word is as good as "downloaded": rows that the old program carried over from its first schema have none. */
const AVAILABILITY = `CASE coalesce(NEW.status, '')
        WHEN '' THEN 'present' WHEN 'downloaded' THEN 'present' WHEN 'remote' THEN 'remote'
        WHEN 'downloadable' THEN 'downloadable' WHEN 'undownloaded' THEN 'downloadable' ELSE 'missing' END`;

/**
 * The metadata of a record with the words in it that have no column of ours; a very long one has no place there.
 * JSON of theirs stays the text that it is: a record is only ever spelled as `JSON.stringify` does.
 */
function withWords(metadata: string): string {
  return `json_patch(${metadata}, json_object('legacy', json_object(
          'store', coalesce(json_extract(${metadata}, '$.legacy.store'), 'cortex.db'),
          'model_format', nullif(NEW.model_format, ''), 'model_source', nullif(NEW.model_source, ''),
          'metadata', CASE WHEN NEW.metadata <> '' AND length(NEW.metadata) <= 400000 THEN NEW.metadata END)))`;
}

/** Keeps what was written, and what it means in the record that was made of it. */
const KEEP_WORDS = `INSERT OR REPLACE INTO model_legacy
      SELECT seq, NEW.author_repo_id, NEW.branch_name, NEW.path_to_model_yaml, NEW.model_alias,
        NEW.model_format, NEW.model_source, NEW.status, NEW.engine, NEW.metadata,
        author_repo, branch, config_path, alias, source_type, availability, engine,
        json_extract(metadata, '$.legacy.metadata')
      FROM model WHERE model_id = NEW.model_id;`;

/** The newest event, written just now, is one that the registry has still to see. */
function unseen(model: string): string {
  return `INSERT INTO model_unseen (event_id, model_seq)
      SELECT max(event_id), (SELECT seq FROM model WHERE model_id = ${model}) FROM model_event
      WHERE NOT EXISTS (SELECT 1 FROM model_unseen WHERE model_unseen.event_id =
        (SELECT max(event_id) FROM model_event));`;
}

const RECORD = `json_object('model_id', model_id, 'source_type', source_type, 'author_repo', author_repo,
            'branch', branch, 'config_path', config_path, 'alias', alias, 'aliases', json(aliases),
            'status', status, 'created_at', created_at, 'updated_at', updated_at,
            'availability', availability, 'engine', engine, 'format', format, 'architecture', architecture,
            'quantization', quantization, 'parameter_count', parameter_count,
            'context_length', context_length, 'size_bytes', size_bytes, 'capabilities', json(capabilities),
            'metadata', json(metadata), 'tags', json(tags), 'notes', notes,
            'pinned', json(iif(pinned, 'true', 'false')), 'last_used_at', last_used_at,
            'row_version', row_version, 'row_checksum', row_checksum,
            'files', json((SELECT json_group_array(json_object('path', path, 'role', role,
              'size_bytes', size_bytes, 'sha256', sha256, 'verified_at', verified_at, 'source', source))
              FROM model_file WHERE model_file.model_id = model.model_id)))`;

/** A field that changes: its values before and after, as JSON, where the old program wrote another word. */
function change(field: string, before: string, after: string, when: string): string {
  return `SELECT '${field}' AS field, ${before} AS before, ${after} AS after FROM model
          WHERE model_id = OLD.model_id AND (${when})`;
}

function textChange(field: string, word: string): string {
  const after = `json_quote(nullif(NEW.${word}, ''))`;
  return change(field, `json_quote(model.${field})`, after, `NEW.${word} IS NOT OLD.${word}`);
}

const CHANGES = [
  textChange("author_repo", "author_repo_id"),
  textChange("branch", "branch_name"),
  textChange("config_path", "path_to_model_yaml"),
  change(
    "alias",
    "json_quote(model.alias)",
    `json_quote(CASE WHEN coalesce(NEW.model_alias, '') = '' THEN NULL
            WHEN ${isName("NEW.model_alias")} AND NOT EXISTS (SELECT 1 FROM model_name
              WHERE name = NEW.model_alias AND model_seq <> model.seq) THEN NEW.model_alias
            ELSE model.alias END)`,
    "NEW.model_alias IS NOT OLD.model_alias",
  ),
  change(
    "aliases",
    "model.aliases",
    "(SELECT json_group_array(value) FROM json_each(model.aliases) WHERE value <> NEW.model_alias)",
    `NEW.model_alias IS NOT OLD.model_alias
            AND EXISTS (SELECT 1 FROM json_each(model.aliases) WHERE value = NEW.model_alias)`,
  ),
  change(
    "availability",
    "json_quote(model.availability)",
    `json_quote(${AVAILABILITY})`,
    "NEW.status IS NOT OLD.status",
  ),
  textChange("engine", "engine"),
  change(
    "metadata",
    "model.metadata",
    withWords("model.metadata"),
    `NEW.model_format IS NOT OLD.model_format OR NEW.model_source IS NOT OLD.model_source
            OR NEW.metadata IS NOT OLD.metadata`,
  ),
].join(" UNION ALL\n        ");

/** The history as `0002` makes it, with other words for what its JSON and its changes must be. */
function rebuildHistory(isJson: (column: string) => string, unless: string): string {
  return `CREATE TABLE model_event_rebuilt (
        event_id INTEGER PRIMARY KEY,
        model_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        actor TEXT NOT NULL,
        at INTEGER NOT NULL,
        row_version INTEGER NOT NULL,
        before TEXT CHECK (${isJson("before")}),
        after TEXT CHECK (${isJson("after")}),
        row_checksum TEXT NOT NULL DEFAULT ''
      ) STRICT;
      INSERT INTO model_event_rebuilt SELECT * FROM model_event;
      DROP TABLE model_event;
      ALTER TABLE model_event_rebuilt RENAME TO model_event;
      CREATE INDEX model_event_model ON model_event (model_id);
      CREATE TRIGGER model_event_no_replace BEFORE INSERT ON model_event
        WHEN EXISTS (SELECT 1 FROM model_event WHERE event_id = NEW.event_id)
        BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
      CREATE TRIGGER model_event_no_update BEFORE UPDATE ON model_event${unless}
        BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
      CREATE TRIGGER model_event_no_delete BEFORE DELETE ON model_event
        BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;`;
}

const UNLESS_SEEN = `
        WHEN NOT (OLD.row_checksum = '' AND OLD.event_id = NEW.event_id AND OLD.model_id = NEW.model_id
          AND OLD.kind = NEW.kind AND OLD.actor = NEW.actor AND OLD.at = NEW.at
          AND OLD.row_version = NEW.row_version AND OLD.before IS NEW.before AND OLD.after IS NEW.after)`;

// The row follows the event, so that the two say the same.
const CHANGED_COLUMNS = [
  "author_repo",
  "branch",
  "config_path",
  "alias",
  "aliases",
  "availability",
  "engine",
  "metadata",
]
  .map(
    (column) => `${column} = CASE WHEN json_type(event.after, '$.${column}') IS NULL THEN model.${column}
          ELSE json_extract(event.after, '$.${column}') END`,
  )
  .join(",\n        ");

/**
 * Old programs in the same file: what they know as the table `models` is a view of ours, with triggers
 * that make of each of their changes one of ours, with its names and its history.
 *
 * `model_legacy` keeps how they spelled a record, and what that meant when they did: the view shows
 * their word as long as our column still says so. `model_unseen` lists their events: until our code has
 * seen them, the rows have no checksum and the search index does not know them. The history is
 * append-only as before, except that a checksum may be filled in where there is none; and `json_valid`
 * no longer meets a NULL, which SQLite 3.40 takes for no JSON.
 */
export const createOldClients: Migration = {
  version: 6,
  name: "old-clients",
  // A program that does not know of the unseen rows would search without them.
  readableBy: 6,
  sqlite: {
    up: `
      ${rebuildHistory((column) => `${column} IS NULL OR json_valid(${column})`, UNLESS_SEEN)}

      CREATE TABLE model_unseen (
        event_id INTEGER PRIMARY KEY,
        model_seq INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE model_legacy (
        model_seq INTEGER PRIMARY KEY REFERENCES model (seq) ON DELETE CASCADE,
        author_repo_id TEXT,
        branch_name TEXT,
        path_to_model_yaml TEXT,
        model_alias TEXT,
        model_format TEXT,
        model_source TEXT,
        status TEXT,
        engine TEXT,
        metadata TEXT,
        meant_author_repo TEXT,
        meant_branch TEXT,
        meant_config_path TEXT,
        meant_alias TEXT,
        meant_source_type TEXT,
        meant_availability TEXT,
        meant_engine TEXT,
        meant_metadata TEXT
      ) STRICT;

      CREATE VIEW models (model_id, author_repo_id, branch_name, path_to_model_yaml, model_alias,
          model_format, model_source, status, engine, metadata) AS
        SELECT model.model_id,
          CASE WHEN author_repo IS meant_author_repo THEN author_repo_id ELSE author_repo END,
          CASE WHEN branch IS meant_branch THEN branch_name ELSE branch END,
          CASE WHEN config_path IS meant_config_path THEN path_to_model_yaml ELSE config_path END,
          CASE WHEN alias IS meant_alias THEN model_alias ELSE alias END,
          CASE WHEN source_type IS meant_source_type THEN model_format
            ELSE coalesce(json_extract(model.metadata, '$.legacy.model_format'),
              CASE WHEN source_type IN ('local', 'remote') THEN source_type END) END,
          CASE WHEN source_type IS meant_source_type THEN model_source
            ELSE coalesce(json_extract(model.metadata, '$.legacy.model_source'),
              CASE WHEN source_type IN ('local', 'remote') THEN 'imported' END) END,
          -- Old servers delete what is "downloaded" and has no YAML; and one unknown word stops their lists.
          CASE WHEN availability IS meant_availability
              AND coalesce(legacy.status, '') IN ('', 'downloaded', 'downloadable', 'remote') THEN legacy.status
            WHEN availability = 'remote' THEN 'remote'
            WHEN availability = 'present' AND config_path IS NOT NULL THEN 'downloaded'
            ELSE 'downloadable' END,
          CASE WHEN model.engine IS meant_engine THEN legacy.engine ELSE model.engine END,
          CASE WHEN json_extract(model.metadata, '$.legacy.metadata') IS meant_metadata THEN legacy.metadata
            ELSE json_extract(model.metadata, '$.legacy.metadata') END
        FROM model LEFT JOIN model_legacy AS legacy ON legacy.model_seq = model.seq;

      CREATE VIEW model_record (seq, record) AS
        SELECT seq, (SELECT json_group_object(key,
            json(CASE type WHEN 'text' THEN json_quote(value) WHEN 'true' THEN 'true' ELSE value END))
          FROM json_each(${RECORD})
          WHERE NOT (type IN ('null', 'false') OR (type IN ('array', 'object') AND value IN ('[]', '{}'))))
        FROM model;

      CREATE TRIGGER models_insert INSTEAD OF INSERT ON models BEGIN
        SELECT RAISE(ABORT, 'UNIQUE constraint failed: models.model_id')
          WHERE EXISTS (SELECT 1 FROM model WHERE model_id = NEW.model_id);
        SELECT RAISE(ABORT, 'CHECK constraint failed: models.model_id')
          WHERE ${isName("NEW.model_id")} IS NOT TRUE;

        -- An id comes before an alias: whichever model has the name as an alias gives it up. Whoever wrote
        -- the alias still reads it.
        INSERT INTO model_event (model_id, kind, actor, at, row_version, before, after)
          SELECT model_id, 'aliased', 'legacy', ${NOW}, row_version + 1,
            CASE WHEN alias = NEW.model_id THEN json_object('alias', alias)
              ELSE json_object('aliases', json(aliases)) END,
            CASE WHEN alias = NEW.model_id THEN json_object('alias', NULL)
              ELSE json_object('aliases',
                json((SELECT json_group_array(value) FROM json_each(aliases) WHERE value <> NEW.model_id))) END
          FROM model WHERE seq = (SELECT model_seq FROM model_name WHERE name = NEW.model_id);
        INSERT INTO model_unseen (event_id, model_seq)
          SELECT (SELECT max(event_id) FROM model_event), model_seq FROM model_name WHERE name = NEW.model_id;
        UPDATE model SET alias = CASE WHEN alias = NEW.model_id THEN NULL ELSE alias END,
            aliases = (SELECT json_group_array(value) FROM json_each(aliases) WHERE value <> NEW.model_id),
            updated_at = ${NOW}, row_version = row_version + 1, row_checksum = ''
          WHERE seq = (SELECT model_seq FROM model_name WHERE name = NEW.model_id);
        UPDATE model_legacy SET meant_alias = NULL
          WHERE meant_alias = NEW.model_id
            AND model_seq = (SELECT model_seq FROM model_name WHERE name = NEW.model_id);
        DELETE FROM model_name WHERE name = NEW.model_id;

        INSERT INTO model (model_id, source_type, author_repo, branch, config_path, alias,
            created_at, updated_at, availability, engine, metadata)
          SELECT NEW.model_id, ${SOURCE_TYPE},
            nullif(NEW.author_repo_id, ''), nullif(NEW.branch_name, ''), nullif(NEW.path_to_model_yaml, ''),
            CASE WHEN ${isName("NEW.model_alias")} AND NOT EXISTS
              (SELECT 1 FROM model_name WHERE name = NEW.model_alias) THEN NEW.model_alias END,
            ${NOW}, ${NOW}, ${AVAILABILITY}, nullif(NEW.engine, ''), ${withWords("'{}'")};
        INSERT INTO model_name (name, model_seq)
          SELECT model_id, seq FROM model WHERE model_id = NEW.model_id
          UNION SELECT alias, seq FROM model WHERE model_id = NEW.model_id AND alias IS NOT NULL;
        INSERT INTO model_event (model_id, kind, actor, at, row_version, before, after)
          SELECT model_id, 'created', 'legacy', created_at, 1, NULL,
            (SELECT record FROM model_record WHERE model_record.seq = model.seq)
          FROM model WHERE model_id = NEW.model_id;
        ${unseen("NEW.model_id")}
        ${KEEP_WORDS}
      END;

      CREATE TRIGGER models_update INSTEAD OF UPDATE ON models BEGIN
        SELECT RAISE(ABORT, 'The id of a model never changes') WHERE NEW.model_id IS NOT OLD.model_id;
        INSERT INTO model_event (model_id, kind, actor, at, row_version, before, after)
          SELECT OLD.model_id, CASE WHEN renamed THEN 'aliased' ELSE 'updated' END, 'legacy', ${NOW},
            (SELECT row_version + 1 FROM model WHERE model_id = OLD.model_id), before, after
          FROM (SELECT count(*) AS fields, min(field IN ('alias', 'aliases')) AS renamed,
              json_group_object(field, json(before)) AS before, json_group_object(field, json(after)) AS after
            FROM (
        ${CHANGES})
            WHERE before IS NOT after)
          WHERE fields > 0;
        UPDATE model SET
        ${CHANGED_COLUMNS},
        updated_at = event.at, row_version = event.row_version, row_checksum = ''
          FROM (SELECT * FROM model_event ORDER BY event_id DESC LIMIT 1) AS event
          WHERE model.model_id = OLD.model_id AND event.model_id = OLD.model_id
            AND event.row_version = model.row_version + 1;
        DELETE FROM model_name
          WHERE NEW.model_alias IS NOT OLD.model_alias
            AND model_seq = (SELECT seq FROM model WHERE model_id = OLD.model_id)
            AND name <> OLD.model_id
            AND name IS NOT (SELECT alias FROM model WHERE model_id = OLD.model_id)
            AND name NOT IN (SELECT value FROM model, json_each(model.aliases) WHERE model_id = OLD.model_id);
        INSERT INTO model_name (name, model_seq)
          SELECT alias, seq FROM model
          WHERE model_id = OLD.model_id AND NEW.model_alias IS NOT OLD.model_alias AND alias IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM model_name WHERE name = alias);
        INSERT INTO model_unseen (event_id, model_seq)
          SELECT event_id, seq FROM model, (SELECT * FROM model_event ORDER BY event_id DESC LIMIT 1) AS event
          WHERE model.model_id = OLD.model_id AND event.model_id = OLD.model_id
            AND event.row_version = model.row_version AND event.row_checksum = ''
            AND event_id NOT IN (SELECT event_id FROM model_unseen);
        ${KEEP_WORDS}
      END;

      CREATE TRIGGER models_delete INSTEAD OF DELETE ON models BEGIN
        SELECT RAISE(ABORT, 'The model is running: stop it first')
          FROM model WHERE model_id = OLD.model_id AND status = 1 AND ${MAY_RUN};
        INSERT INTO model_event (model_id, kind, actor, at, row_version, before, after)
          SELECT model_id, 'expired', 'registry', ${NOW}, row_version + 1, json_object('status', 1),
            json_object('status', 0, 'expires_at', coalesce((SELECT max(renewed_at + ttl_ms) FROM model_run
              WHERE model_run.model_id = model.model_id), 0))
          FROM model WHERE model_id = OLD.model_id AND status = 1;
        INSERT INTO model_unseen (event_id, model_seq)
          SELECT (SELECT max(event_id) FROM model_event), seq
          FROM model WHERE model_id = OLD.model_id AND status = 1;
        UPDATE model SET status = 0, updated_at = ${NOW}, row_version = row_version + 1, row_checksum = ''
          WHERE model_id = OLD.model_id AND status = 1;
        INSERT INTO model_event (model_id, kind, actor, at, row_version, before, after)
          SELECT model_id, 'deleted', 'legacy', ${NOW}, row_version,
            (SELECT record FROM model_record WHERE model_record.seq = model.seq), NULL
          FROM model WHERE model_id = OLD.model_id;
        ${unseen("OLD.model_id")}
        -- Foreign keys may be off in the program that deletes.
        DELETE FROM model_name WHERE model_seq = (SELECT seq FROM model WHERE model_id = OLD.model_id);
        DELETE FROM model_tag WHERE model_seq = (SELECT seq FROM model WHERE model_id = OLD.model_id);
        DELETE FROM model_legacy WHERE model_seq = (SELECT seq FROM model WHERE model_id = OLD.model_id);
        DELETE FROM model_file WHERE model_id = OLD.model_id;
        DELETE FROM model_run WHERE model_id = OLD.model_id;
        DELETE FROM model WHERE model_id = OLD.model_id;
      END;
    `,
    down: `
      DROP VIEW models;
      DROP VIEW model_record;
      DELETE FROM model_search WHERE rowid IN (SELECT model_seq FROM model_unseen);
      INSERT INTO model_search (rowid, text)
        SELECT seq, text FROM model_search_text WHERE seq IN (SELECT model_seq FROM model_unseen);
      DROP TABLE model_unseen;
      DROP TABLE model_legacy;
      ${rebuildHistory((column) => `json_valid(${column})`, "")}
    `,
  },
};
