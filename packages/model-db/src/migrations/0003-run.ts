import type { Migration } from "./migration.ts";

/**
 * Leases. A lease holds while its machine has not restarted (`boot_id`) and the machine's own
 * monotonic clock is within `renewed_tick_ms … expires_tick_ms` (milliseconds): no wall clock decides. There
 * are as many rows as running models, so a token is found by looking at them all.
 */
export const createRun: Migration = {
  version: 3,
  name: "run",
  readableBy: 3,
  sqlite: {
    up: `
      CREATE TABLE model_run (
        model_id TEXT NOT NULL REFERENCES model (model_id) ON DELETE CASCADE,
        token INTEGER NOT NULL,
        holder TEXT NOT NULL,
        node TEXT NOT NULL,
        pid INTEGER,
        endpoint TEXT,
        started_at INTEGER NOT NULL,
        ttl_ms INTEGER NOT NULL,
        renewed_at INTEGER NOT NULL,
        boot_id TEXT NOT NULL,
        renewed_tick_ms INTEGER NOT NULL,
        expires_tick_ms INTEGER NOT NULL,
        PRIMARY KEY (model_id, token)
      ) STRICT, WITHOUT ROWID;
    `,
    down: `
      DROP TABLE model_run;
      UPDATE model SET status = 0, row_version = row_version + 1, row_checksum = '' WHERE status = 1;
    `,
  },
};
