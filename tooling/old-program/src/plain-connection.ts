import Database from "better-sqlite3";

import type { OldConnection, OldRow } from "./old-connection.ts";

/**
 * Opens a `cortex.db` as the old program does: no busy timeout, foreign keys off, none of our functions,
 * and whatever journal mode the file has.
 */
export function openPlainConnection(path: string): OldConnection {
  const database = new Database(path, { timeout: 0, fileMustExist: true });
  database.pragma("foreign_keys = OFF");
  const prepared = new Map<string, Database.Statement>();
  return {
    async run(sql, values = []) {
      // This SQLite takes double quotes for names only, the old program's takes what is no name for a text.
      const text = sql.replaceAll('"', "'");
      const statement = prepared.get(text) ?? database.prepare(text);
      prepared.set(text, statement);
      if (statement.reader) return statement.all(...values) as OldRow[];
      statement.run(...values);
      return [];
    },
    async close() {
      database.close();
    },
  };
}
