import type { Migration } from "./migration.ts";

/**
 * Events by their model, indexed 2,048 at a time. Each change would write a page of an index somewhere, a third
 * of what it takes where commits are shared; in groups, few pages are written more than once. The events after
 * `registry.indexed_event_id` are not in it yet: `model_event_by_model` reads these one by one.
 */
export const createEventIndex: Migration = {
  version: 12,
  name: "event-index",
  readableBy: 7,
  sqlite: {
    up: `
      CREATE TABLE model_event_index (
        model_id TEXT NOT NULL,
        event_id INTEGER NOT NULL,
        PRIMARY KEY (model_id, event_id)
      ) STRICT, WITHOUT ROWID;
      INSERT INTO model_event_index (model_id, event_id)
        SELECT model_id, event_id FROM model_event ORDER BY model_id, event_id;
      ALTER TABLE registry ADD COLUMN indexed_event_id INTEGER NOT NULL DEFAULT 0;
      UPDATE registry SET indexed_event_id = (SELECT coalesce(max(event_id), 0) FROM model_event);
      DROP INDEX model_event_model;

      CREATE TRIGGER model_event_index_events AFTER INSERT ON model_event WHEN NEW.event_id % 2048 = 0 BEGIN
        INSERT INTO model_event_index (model_id, event_id)
          SELECT model_id, event_id FROM model_event
          WHERE event_id > (SELECT indexed_event_id FROM registry) ORDER BY model_id, event_id;
        UPDATE registry SET indexed_event_id = NEW.event_id;
      END;

      CREATE VIEW model_event_by_model (event_id, model_id, kind, actor, at, row_version, before, after,
          row_checksum, origin) AS
        SELECT place.event_id, place.model_id, kind, actor, at, row_version, before, after, row_checksum, origin
        FROM model_event_index AS place CROSS JOIN model_event ON model_event.event_id = place.event_id
        UNION ALL
        SELECT event_id, model_id, kind, actor, at, row_version, before, after, row_checksum, origin
        FROM model_event WHERE event_id > (SELECT indexed_event_id FROM registry);
    `,
    down: `
      DROP VIEW model_event_by_model;
      DROP TRIGGER model_event_index_events;
      DROP TABLE model_event_index;
      ALTER TABLE registry DROP COLUMN indexed_event_id;
      CREATE INDEX model_event_model ON model_event (model_id);
    `,
  },
};
