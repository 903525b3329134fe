import type { Migration } from "./migration.ts";

/**
 * What happened: append-only, and the change feed by its growing id, which no deletion can free again.
 * It outlives the models it tells of.
 */
export const createHistory: Migration = {
  version: 2,
  name: "history",
  readableBy: 2,
  sqlite: {
    up: `
      CREATE TABLE model_event (
        event_id INTEGER PRIMARY KEY,
        model_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        actor TEXT NOT NULL,
        at INTEGER NOT NULL,
        row_version INTEGER NOT NULL,
        before TEXT CHECK (json_valid(before)),
        after TEXT CHECK (json_valid(after)),
        row_checksum TEXT NOT NULL DEFAULT ''
      ) STRICT;
      CREATE INDEX model_event_model ON model_event (model_id);
      CREATE TRIGGER model_event_no_replace BEFORE INSERT ON model_event
        WHEN EXISTS (SELECT 1 FROM model_event WHERE event_id = NEW.event_id)
        BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
      CREATE TRIGGER model_event_no_update BEFORE UPDATE ON model_event
        BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
      CREATE TRIGGER model_event_no_delete BEFORE DELETE ON model_event
        BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
    `,
    down: `DROP TABLE model_event;`,
  },
};
