import { APPLICATION_ID, hostRegistry, type Host } from "@cortex/model-db";
// oxlint-disable-next-line no-restricted-imports -- the old program's part of the file, which no registry knows
import Database from "better-sqlite3";

import { COLUMNS, type CortexDb } from "./legacy/cortex-db.ts";
import { LegacyStoreError } from "./legacy/legacy-store-error.ts";
import { completeOldTables, keepOldSchema, OLD_SCHEMA } from "./legacy/old-tables.ts";

/** Whether a `cortex.db` is a registry already. Looks only. */
export function isRegistry(path: string): boolean {
  return use(path, { readonly: true }, (database) => {
    return database.pragma("application_id", { simple: true }) === APPLICATION_ID;
  });
}

/** Ends what a killed old program has left half done, as its own next start would. */
export function recoverOldStore(path: string): void {
  use(path, {}, (database) => database.prepare("SELECT count(*) FROM sqlite_schema").get());
}

/** Has the old program leave a registry alone, whatever number one of its releases has written there. */
export function keepOldSchemaOf(path: string): void {
  use(path, {}, (database) => {
    const versions = database.prepare("SELECT version FROM schema_version").pluck().all();
    if (versions.length === 1 && versions[0] === OLD_SCHEMA) return;
    database.transaction(() => keepOldSchema((sql) => void database.exec(sql))).immediate();
  });
}

/** Gives an old store back the journal mode that its own program made it with, unless somebody has it open. */
export function leaveWriteAheadLog(path: string): void {
  use(path, {}, (database) => {
    try {
      database.pragma("journal_mode = DELETE");
    } catch {
      // The old program reads and writes it in either.
    }
  });
}

/**
 * Puts a registry that was made from an old store into its `cortex.db`, where its view `models` takes the
 * place of the old table; with each model go the words of its old row. One transaction, all or nothing.
 *
 * @param registryPath the registry that was made.
 * @throws LegacyStoreError `changed` when the store is not what the registry was made from; RegistryError.
 */
export function moveInto(store: CortexDb, registryPath: string): void {
  const { table, copyPath } = store;
  hostRegistry(registryPath, store.path, {
    beside: { old: copyPath },
    makeRoom(host) {
      if (table !== undefined && !isUnchanged(host, table)) {
        throw new LegacyStoreError(
          "changed",
          `${store.path} was changed by another program meanwhile. Stop the old program and run again.`,
        );
      }
      completeOldTables(host);
      host.exec("DROP TABLE IF EXISTS main.models");
    },
    settleIn(host) {
      if (table !== undefined) host.exec(oldWords(host, table));
    },
  });
}

function isUnchanged({ query }: Host, table: string): boolean {
  const difference = (one: string, other: string): number =>
    query(`SELECT rowid, * FROM ${one}.${table} EXCEPT SELECT rowid, * FROM ${other}.${table} LIMIT 1`)
      .length;
  try {
    return difference("main", "old") + difference("old", "main") === 0;
  } catch (error) {
    // Another schema is another table.
    if (error instanceof Database.SqliteError && error.code === "SQLITE_ERROR") return false;
    throw error;
  }
}

function oldWords({ query }: Host, table: string): string {
  const present = new Set(
    query(`SELECT name FROM pragma_table_info('${table}', 'old')`).map(({ name }) => name),
  );
  const words = COLUMNS.filter((column) => column !== "model_id").map((column) =>
    present.has(column) ? `CASE typeof(was.${column}) WHEN 'blob' THEN NULL ELSE was.${column} END` : "NULL",
  );
  return `INSERT INTO main.model_legacy
    SELECT model.seq, ${words.join(", ")}, model.author_repo, model.branch, model.config_path, model.alias,
      model.source_type, model.availability, model.engine, json_extract(model.metadata, '$.legacy.metadata')
    FROM main.model JOIN old.${table} AS was ON was.model_id = model.model_id`;
}

function use<T>(path: string, options: Database.Options, work: (database: Database.Database) => T): T {
  let database: Database.Database | undefined;
  try {
    database = new Database(path, { fileMustExist: true, timeout: 5000, ...options });
    return work(database);
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    const remedy = error.code.startsWith("SQLITE_BUSY")
      ? "Stop the programs that use it and run again."
      : "Restore it from a backup, or migrate without --in-place, which only reads it.";
    throw new LegacyStoreError("unreadable", `${path} cannot be used (${error.message}). ${remedy}`, {
      cause: error,
    });
  } finally {
    database?.close();
  }
}
