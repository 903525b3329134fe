import type { Migration } from "./migration.ts";

/**
 * What a service answered to requests that carry a key of their own, so that a client that never saw the
 * answer can ask again without doing it twice. An answer that is long is kept in parts. Rows are forgotten
 * after a day, and going down forgets them all.
 */
export const createIdempotentAnswer: Migration = {
  version: 8,
  name: "idempotent-answer",
  readableBy: 7,
  sqlite: {
    up: `
      CREATE TABLE idempotent_answer (
        actor TEXT NOT NULL,
        idempotency_key TEXT NOT NULL,
        part INTEGER NOT NULL,
        request_sha256 TEXT NOT NULL,
        answer TEXT NOT NULL,
        kept_at INTEGER NOT NULL,
        PRIMARY KEY (actor, idempotency_key, part)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX idempotent_answer_kept_at ON idempotent_answer (kept_at);
    `,
    down: `
      DROP TABLE idempotent_answer;
    `,
  },
};
