import type { Migration } from "./migration.ts";

/**
 * Transfers: models that are being fetched, each a job that outlives the process that works on it. `claims`
 * counts the processes that have taken it up, the last of which has it as long as its lease holds: as in `0003`,
 * on the machine's monotonic clock. A model has one job at most that is neither done nor given up.
 */
export const createTransfer: Migration = {
  version: 9,
  name: "transfer",
  readableBy: 7,
  sqlite: {
    up: `
      CREATE TABLE transfer (
        transfer_id INTEGER PRIMARY KEY,
        reference TEXT NOT NULL,
        state TEXT NOT NULL,
        model_id TEXT NOT NULL,
        source_type TEXT NOT NULL,
        repository TEXT,
        branch TEXT,
        commit_id TEXT,
        folder TEXT NOT NULL,
        files TEXT NOT NULL CHECK (json_valid(files)),
        size_bytes INTEGER,
        done_bytes INTEGER NOT NULL,
        alias TEXT,
        owner TEXT,
        private INTEGER NOT NULL CHECK (private = 0 OR (private = 1 AND owner IS NOT NULL)),
        actor TEXT NOT NULL,
        origin TEXT CHECK (origin IS NULL OR json_valid(origin)),
        error_code TEXT,
        error_message TEXT,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        started_at INTEGER,
        finished_at INTEGER,
        claims INTEGER NOT NULL,
        node TEXT,
        pid INTEGER,
        boot_id TEXT NOT NULL,
        renewed_tick_ms INTEGER NOT NULL,
        expires_tick_ms INTEGER NOT NULL
      ) STRICT;
      CREATE UNIQUE INDEX transfer_unfinished ON transfer (model_id) WHERE finished_at IS NULL;
      CREATE INDEX transfer_model ON transfer (model_id);
      CREATE INDEX transfer_finished ON transfer (finished_at) WHERE finished_at IS NOT NULL;
    `,
    down: `
      DROP TABLE transfer;
    `,
  },
};
