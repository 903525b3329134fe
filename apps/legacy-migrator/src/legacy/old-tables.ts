import type { Host } from "@cortex/model-db";

/** The newest schema that the old program was released with. */
export const OLD_SCHEMA = 3;

/**
 * Brings what is in a `cortex.db` beside `models` to version 3, with the words of the old program's own
 * migrations (`engine/migrations/v0` to `v3` of cortex.cpp), so that it finds nothing to do. What is
 * there already stays as it is, row by row.
 */
export function completeOldTables({ query, exec }: Host): void {
  exec(`
    CREATE TABLE IF NOT EXISTS schema_version ( version INTEGER PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS hardware (uuid TEXT PRIMARY KEY, type TEXT NOT NULL, hardware_id INTEGER NOT NULL, software_id INTEGER NOT NULL, activated INTEGER NOT NULL CHECK (activated IN (0, 1)));
    CREATE TABLE IF NOT EXISTS engines (id INTEGER PRIMARY KEY AUTOINCREMENT,engine_name TEXT,type TEXT,api_key TEXT,url TEXT,version TEXT,variant TEXT,status TEXT,metadata TEXT,date_created TEXT DEFAULT CURRENT_TIMESTAMP,date_updated TEXT DEFAULT CURRENT_TIMESTAMP,UNIQUE(engine_name, variant));
    CREATE TABLE IF NOT EXISTS files (id TEXT PRIMARY KEY,object TEXT,purpose TEXT,filename TEXT,created_at INTEGER,bytes INTEGER);
  `);
  if (query("SELECT 1 FROM pragma_table_info('hardware') WHERE name = 'priority'").length === 0)
    exec("ALTER TABLE hardware ADD COLUMN priority INTEGER");
  keepOldSchema(exec);
}

/** Has the old program find version 3: 1.0.4 writes its own number into whatever it opens. */
export function keepOldSchema(exec: Host["exec"]): void {
  exec(`DELETE FROM schema_version; INSERT INTO schema_version VALUES (${OLD_SCHEMA})`);
}
