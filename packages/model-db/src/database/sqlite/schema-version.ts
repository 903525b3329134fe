import type Database from "better-sqlite3";

import { shellQuote } from "../../domain/shell-quote.ts";
import { RegistryError } from "../../errors.ts";
import { SCHEMA_VERSION } from "../../migrations/schema-version.ts";
import { APPLICATION_ID } from "./application-id.ts";
import { toRegistryError } from "./errors.ts";

/**
 * The version of a registry's schema; 0 for a file that is still empty. Reads only.
 *
 * @param use what the registry is for: one of a newer schema can be read where its steps allow that.
 * @throws RegistryError `schema_too_new`, `not_a_registry`, `database_damaged`.
 */
export function readSchemaVersion(connection: Database.Database, use: "read" | "write" = "write"): number {
  try {
    return read(connection, use);
  } catch (error) {
    throw toRegistryError(error, connection.name);
  }
}

function read(connection: Database.Database, use: "read" | "write"): number {
  const path = connection.name;
  const pragma = (name: string): unknown => connection.pragma(name, { simple: true });
  let version = pragma("user_version") as number;
  if (pragma("application_id") !== APPLICATION_ID) {
    // Others may make a registry of an empty file between these: in this order each can only be late.
    const names = connection.prepare("SELECT name FROM sqlite_schema").pluck().all();
    version = pragma("user_version") as number;
    const applicationId = pragma("application_id");
    if (names.length === 0 && applicationId === 0 && version === 0) return 0;
    if (applicationId !== APPLICATION_ID) throw notRegistry(path, names);
  }
  if (version === SCHEMA_VERSION) return version;
  checkRecorded(connection);
  if (version < SCHEMA_VERSION) return version;
  const readable = isReadable(connection);
  if (use === "read" && readable) return version;
  const still = readable ? " It can be opened for reading." : "";
  throw new RegistryError(
    "schema_too_new",
    `${path} has schema ${version}, newer than ${SCHEMA_VERSION}, the newest that this program knows. Update the program; the file is untouched.${still}`,
  );
}

// The version stands in the header of the file, which nothing else vouches for.
function checkRecorded(connection: Database.Database): void {
  if (connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'migration'").get() === undefined) return;
  const { version, recorded } = connection
    .prepare<[], { version: number; recorded: number }>(
      "SELECT user_version AS version, (SELECT coalesce(max(version), 0) FROM migration) AS recorded FROM pragma_user_version",
    )
    .get()!;
  if (version === recorded) return;
  throw new RegistryError(
    "database_damaged",
    `${connection.name} is damaged: it says that it has schema ${version}, and the last migration that it tells of led to ${recorded}. \`cortex repair\` mends it.`,
  );
}

// Whether every step that a newer program took lets this one read what it left.
function isReadable(connection: Database.Database): boolean {
  const column = "SELECT 1 FROM pragma_table_info('migration') WHERE name = 'readable_by'";
  if (connection.prepare(column).get() === undefined) return false;
  const newest = connection.prepare("SELECT max(readable_by) FROM migration").pluck().get();
  return typeof newest === "number" && newest <= SCHEMA_VERSION;
}

function notRegistry(path: string, names: readonly unknown[]): RegistryError {
  return new RegistryError(
    "not_a_registry",
    names.includes("models")
      ? `${path} is the store of the old cortex program. \`cortex-migrate --from ${shellQuote(path)}\` brings its models into a registry; \`cortex-migrate --in-place ${shellQuote(path)}\` makes a registry of the file itself, which the old program can go on using.`
      : `${path} is a database of another program. Choose another path.`,
  );
}

/** What the registry is known by, wherever its file goes. */
export function readRegistryId(connection: Database.Database): string {
  return connection.prepare("SELECT registry_id FROM registry").pluck().get() as string;
}

/** As {@link readRegistryId}; `undefined` in a registry that never had the schema that brings it. */
export function findRegistryId(connection: Database.Database): string | undefined {
  const table = connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'registry'").get();
  return table === undefined ? undefined : readRegistryId(connection);
}

/** The migrations that the file has a record of, oldest first. */
export function readMigrations(
  connection: Database.Database,
): { version: number; name: string; appliedAt: number }[] {
  if (readSchemaVersion(connection, "read") === 0) return [];
  return connection
    .prepare<[], { version: number; name: string; appliedAt: number }>(
      "SELECT version, name, applied_at AS appliedAt FROM migration ORDER BY version",
    )
    .all();
}
