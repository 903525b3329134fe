import { statSync } from "node:fs";

import type Database from "better-sqlite3";

import { toRegistryError } from "../database/sqlite/errors.ts";
import { passGate } from "../database/sqlite/gate.ts";
import { openConnection } from "../database/sqlite/open-connection.ts";
import { readSchemaVersion } from "../database/sqlite/schema-version.ts";
import { isRegistryError, type RegistryError } from "../errors.ts";
import { SCHEMA_VERSION } from "../migrations/schema-version.ts";
import { CHECKSUMMED_TABLES, checkRows } from "./row-checksums.ts";

const BUSY_TIMEOUT_MS = 5000;

/** What is wrong with a registry's file. */
export interface Diagnosis {
  /** `other`: the file is none of a registry, though it may be whole. */
  readonly kind: "missing" | "empty" | "damaged" | "other";
  /** In words that follow "the registry". */
  readonly says: string;
}

/**
 * Looks through a registry's file for damage: its structure, and each row by its checksum.
 *
 * @returns `undefined` where nothing is damaged.
 * @throws RegistryError `schema_too_new` for a whole file of a newer program, `database_busy`, `read_only`.
 */
export async function diagnose(path: string): Promise<Diagnosis | undefined> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return { kind: "missing", says: "is not there" };
  try {
    const compare = await passGate(path, "read");
    if (found.size === 0) return { kind: "empty", says: "is empty" };
    const connection = openConnection(path, { readonly: true, busyTimeoutMs: BUSY_TIMEOUT_MS });
    try {
      const says = examine(connection, () => compare?.(connection));
      return says === undefined ? undefined : { kind: "damaged", says };
    } finally {
      connection.close();
    }
  } catch (error) {
    const failure = toRegistryError(error, path);
    if (!isRegistryError(failure)) throw failure;
    if (failure.code === "database_damaged") {
      return { kind: found.size === 0 ? "empty" : "damaged", says: `is damaged: ${failure.message}` };
    }
    if (failure.code === "not_a_registry")
      return { kind: "other", says: `is no registry: ${failure.message}` };
    throw failure;
  }
}

function examine(connection: Database.Database, compare: () => void): string | undefined {
  const version = versionOrDamage(connection);
  if (typeof version === "string") return version;
  compare();
  const said = checkStructure(connection);
  if (said !== undefined || version < SCHEMA_VERSION) return said;
  const [dangling] = connection.pragma("foreign_key_check") as { table: string }[];
  if (dangling !== undefined) return `has rows in ${dangling.table} that point nowhere`;
  const nameless = connection
    .prepare(
      `SELECT model_id FROM model WHERE NOT EXISTS
         (SELECT 1 FROM model_name WHERE name = model_id AND model_seq = seq) LIMIT 1`,
    )
    .pluck()
    .get() as string | undefined;
  if (nameless !== undefined) return `has a model, ${nameless}, that its id does not mean`;
  for (const table of CHECKSUMMED_TABLES) {
    for (const { unsound } of checkRows(connection, table)) {
      const wrong = unsound.find(({ checksum }) => checksum === "wrong");
      if (wrong !== undefined) return `has an altered row in ${table}: ${wrong.subject}`;
    }
  }
  return undefined;
}

// A damaged header may claim any version; a whole file that claims a newer one has it.
function versionOrDamage(connection: Database.Database): number | string {
  try {
    return readSchemaVersion(connection, "write");
  } catch (error) {
    const { code } = error as RegistryError;
    const said = code === "schema_too_new" ? checkStructure(connection) : undefined;
    if (said === undefined) throw error;
    return said;
  }
}

function checkStructure(connection: Database.Database): string | undefined {
  const said = String(connection.pragma("integrity_check(1)", { simple: true }));
  return said === "ok" ? undefined : `is damaged: ${said}`;
}
