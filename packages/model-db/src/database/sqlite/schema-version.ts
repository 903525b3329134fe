import type Database from "better-sqlite3";

import { shown } from "../../domain/input.ts";
import { invalidInput, RegistryError } from "../../errors.ts";
import { MIGRATIONS } from "../../migrations/index.ts";
import type { Migration } from "../../migrations/migration.ts";

/** "CTXM" in the header of the file: what `file(1)` and our own check know a registry by. */
const APPLICATION_ID = 0x4354584d;
const LATEST = MIGRATIONS.length;

/** The version of a registry's schema; 0 for a file that is still empty. Reads only. */
export function readSchemaVersion(connection: Database.Database): number {
  const path = connection.name;
  const applicationId = connection.pragma("application_id", { simple: true });
  const version = connection.pragma("user_version", { simple: true }) as number;
  if (applicationId === APPLICATION_ID) {
    if (version <= LATEST) return version;
    throw new RegistryError(
      "schema_too_new",
      `${path} has schema ${version}, newer than ${LATEST}, the newest that this program knows. Update the program; the file is untouched.`,
    );
  }
  const names = connection.prepare("SELECT name FROM sqlite_schema").pluck().all();
  if (names.length === 0 && applicationId === 0 && version === 0) return 0;
  throw new RegistryError(
    "not_a_registry",
    names.includes("models")
      ? `${path} is the store of the old cortex program. Bring its models over with: cortex-migrate --from ${path}`
      : `${path} is a database of another program. Choose another path with --db or CORTEX_DB.`,
  );
}

/** The migrations that the file has a record of, oldest first. */
export function readMigrations(
  connection: Database.Database,
): { version: number; name: string; appliedAt: number }[] {
  if (readSchemaVersion(connection) === 0) return [];
  return connection
    .prepare<[], { version: number; name: string; appliedAt: number }>(
      "SELECT version, name, applied_at AS appliedAt FROM migration ORDER BY version",
    )
    .all();
}

/** Takes one step towards a version, in a transaction with its record; false where none is left. */
export function migrateOneStep(connection: Database.Database, target: number): boolean {
  if (!Number.isSafeInteger(target) || target < 0 || target > LATEST) {
    throw invalidInput("target", `There is no schema ${shown(target)}: versions run from 0 to ${LATEST}.`);
  }
  const version = readSchemaVersion(connection);
  if (version < target) applyStep(connection, MIGRATIONS[version]!, "up");
  else if (version > target) applyStep(connection, MIGRATIONS[version - 1]!, "down");
  return version !== target;
}

function applyStep(connection: Database.Database, step: Migration, direction: "up" | "down"): void {
  connection.exec(step.sqlite[direction]);
  if (direction === "up") {
    connection.exec(
      "CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT",
    );
    connection
      .prepare("INSERT INTO migration (version, name, applied_at) VALUES (?, ?, ?)")
      .run(step.version, step.name, Date.now());
    connection.pragma(`application_id = ${APPLICATION_ID}`);
    connection.pragma(`user_version = ${step.version}`);
  } else {
    connection.prepare("DELETE FROM migration WHERE version = ?").run(step.version);
    connection.pragma(`user_version = ${step.version - 1}`);
  }
}
