import type Database from "better-sqlite3";

/** Makes a registry say that a newer program brought it to a schema, in the two places that say it. */
export function toSchema(database: Database.Database, version: number): void {
  database.prepare("INSERT INTO migration (version, name, applied_at) VALUES (?, 'newer', 0)").run(version);
  database.pragma(`user_version = ${version}`);
}
