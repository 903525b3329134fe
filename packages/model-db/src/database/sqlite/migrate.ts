import type Database from "better-sqlite3";

import { shown } from "../../domain/input.ts";
import { invalidInput } from "../../errors.ts";
import { MIGRATIONS } from "../../migrations/index.ts";
import type { Migration } from "../../migrations/migration.ts";
import { SCHEMA_VERSION } from "../../migrations/schema-version.ts";
import { APPLICATION_ID } from "./application-id.ts";
import { findRegistryId, readSchemaVersion } from "./schema-version.ts";

/** Takes one step towards a version, in a transaction with its record; false where none is left. */
export function migrateOneStep(connection: Database.Database, target: number): boolean {
  if (!Number.isSafeInteger(target) || target < 0 || target > SCHEMA_VERSION) {
    throw invalidInput(
      "target",
      `There is no schema ${shown(target)}: versions run from 0 to ${SCHEMA_VERSION}.`,
    );
  }
  const version = readSchemaVersion(connection);
  if (version < target) applyStep(connection, MIGRATIONS[version]!, "up");
  else if (version > target) applyStep(connection, MIGRATIONS[version - 1]!, "down");
  if (version === target) return false;
  const broken = connection.pragma("foreign_key_check") as unknown[];
  if (broken.length === 0) return true;
  throw new Error(`Migrating to ${target} would leave ${broken.length} rows that point nowhere.`);
}

/**
 * Keeps a snapshot of a registry that holds something, before a step of its schema: called with the write
 * lock held, so that it is exactly what the step will find.
 *
 * @throws RegistryError where none can be kept: then the schema stays as it is.
 */
export async function snapshotBeforeStep(connection: Database.Database, target: number): Promise<void> {
  const version = readSchemaVersion(connection);
  if (version === 0 || version === target) return;
  const tables = version === 1 ? ["model"] : ["model", "model_event"];
  const holds = tables.some(
    (table) => connection.prepare(`SELECT 1 FROM ${table} LIMIT 1`).get() !== undefined,
  );
  if (!holds) return;
  const { createSnapshot } = await import("../../maintenance/snapshots.ts");
  const { automaticBackupFolder } = await import("../../maintenance/backup-folder.ts");
  await createSnapshot(connection.name, automaticBackupFolder(connection.name, findRegistryId(connection)));
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
    // The column is there from the step on that brings it.
    if (step.readableBy > 5)
      connection
        .prepare("UPDATE migration SET readable_by = ? WHERE version = ?")
        .run(step.readableBy, step.version);
    connection.pragma(`application_id = ${APPLICATION_ID}`);
    connection.pragma(`user_version = ${step.version}`);
  } else {
    connection.prepare("DELETE FROM migration WHERE version = ?").run(step.version);
    connection.pragma(`user_version = ${step.version - 1}`);
  }
}
