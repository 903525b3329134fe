/** A row as the old program reads it. */
export type OldRow = Record<string, string | number | null>;

/** What the old program has of SQLite: statements with texts bound to them, and nothing of ours. */
export interface OldConnection {
  /**
   * Runs one statement.
   *
   * @returns its rows.
   * @throws Error with SQLite's message.
   */
  run(sql: string, values?: readonly (string | null)[]): Promise<OldRow[]>;
  close(): Promise<void>;
}
