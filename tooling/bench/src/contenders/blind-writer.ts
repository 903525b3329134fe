import type Database from "better-sqlite3";

/**
 * Writes the pages of a change, with nothing read, checked or computed: what SQLite itself needs for
 * them. It leaves a history that makes no sense.
 */
export class BlindWriter {
  readonly #begin: Database.Statement;
  readonly #update: Database.Statement;
  readonly #event: Database.Statement;
  readonly #commit: Database.Statement;

  constructor(connection: Database.Database) {
    this.#begin = connection.prepare("BEGIN IMMEDIATE");
    this.#update = connection.prepare("UPDATE model SET pinned = 1 - pinned WHERE seq = +?");
    this.#event = connection.prepare(
      `INSERT INTO model_event (model_id, kind, actor, at, row_version, before, after, row_checksum)
       VALUES (?, 'updated', 'bench', ?, 1, '{"pinned":false}', '{"pinned":true}', '0123456789abcdef')`,
    );
    this.#commit = connection.prepare("COMMIT");
  }

  change(seq: number, modelId: string, at: number): void {
    this.#begin.run();
    this.#update.run(seq);
    this.#event.run(modelId, at);
    this.#commit.run();
  }
}
