import type { Migration } from "./migration.ts";

/**
 * Leases. A lease holds while its machine has not restarted (`boot_id`) and the machine's own
 * monotonic clock is within `renewed_tick … expires_tick` (milliseconds): no wall clock decides.
 */
export const createRun: Migration = {
  version: 3,
  name: "run",
  sqlite: {
    up: `
      CREATE TABLE model_run (
        token INTEGER PRIMARY KEY,
        model_id TEXT NOT NULL REFERENCES model (model_id) ON DELETE CASCADE,
        holder TEXT NOT NULL,
        node TEXT NOT NULL,
        pid INTEGER,
        endpoint TEXT,
        started_at INTEGER NOT NULL,
        ttl_ms INTEGER NOT NULL,
        boot_id TEXT NOT NULL,
        renewed_tick INTEGER NOT NULL,
        expires_tick INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX model_run_model ON model_run (model_id);
    `,
    down: `
      DROP TABLE model_run;
      UPDATE model SET status = 0, row_version = row_version + 1, row_checksum = '' WHERE status = 1;
    `,
  },
};
