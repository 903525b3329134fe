import Database from "better-sqlite3";

import { RegistryError } from "../../errors.ts";
import { isDiskFull, releaseBallast } from "./ballast.ts";
import { block } from "./block.ts";
import { isBusy, toRegistryError } from "./errors.ts";

// For all that a million models' readers come back to; only what is read is held.
const READ_CACHE_KIB = 65_536;

interface ConnectionOptions {
  readonly: boolean;
  busyTimeoutMs: number;
}

/**
 * Opens a connection with the settings that every connection of ours has, and checks the one that
 * decides whether a commit is on disk: a reopened WAL file would otherwise be `synchronous=NORMAL`.
 *
 * @throws RegistryError `not_a_registry`, `read_only`, `database_damaged`, `database_busy`, `disk_full`.
 */
export function openConnection(path: string, options: ConnectionOptions): Database.Database {
  checkNode();
  for (;;) {
    try {
      return open(path, options);
    } catch (error) {
      if (!isDiskFull(error) || !releaseBallast(path)) throw error;
    }
  }
}

function open(path: string, options: ConnectionOptions): Database.Database {
  let connection: Database.Database | undefined;
  try {
    connection = new Database(path, { readonly: options.readonly, timeout: options.busyTimeoutMs });
    connection.exec(`
      PRAGMA synchronous = FULL;
      PRAGMA foreign_keys = ON;
      PRAGMA trusted_schema = OFF;
      PRAGMA cell_size_check = ON;
      PRAGMA schema_version;
      ${options.readonly ? `PRAGMA cache_size = -${READ_CACHE_KIB};` : ""}
    `);
    if (connection.pragma("synchronous", { simple: true }) !== 2) {
      throw new RegistryError("io_error", `${path}: SQLite refuses to write through to the disk.`);
    }
    connection.function("fold_case", { deterministic: true }, foldCase);
    return connection;
  } catch (error) {
    connection?.close();
    throw toRegistryError(error, path);
  }
}

// The native part of better-sqlite3 ends an older Node without a word.
function checkNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return;
  throw new RegistryError(
    "unsupported_node",
    `A registry needs Node 22.18 or newer; this is Node ${process.versions.node}.`,
  );
}

// To capitals, since a small sigma depends on what follows it.
function foldCase(text: unknown): string | null {
  return typeof text === "string" ? text.toUpperCase() : null;
}

/** Puts a file into write-ahead mode, waiting for others that do the same. */
export function enableWal(connection: Database.Database, busyTimeoutMs: number): void {
  const deadline = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      connection.pragma("journal_mode = WAL");
      connection.exec("PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 67108864;");
      return;
    } catch (error) {
      // The busy handler is not asked here, so that two first openers would collide.
      if (!isBusy(error) || performance.now() >= deadline) throw toRegistryError(error, connection.name);
      block(1 + Math.random() * 4);
    }
  }
}
