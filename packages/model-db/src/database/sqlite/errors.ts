import { dirname } from "node:path";

import { RegistryError } from "../../errors.ts";

const COPY =
  "To read it, copy the file, with its -wal where there is one, to a folder of your own and open the copy.";

/** What SQLite throws, in the registry's words. Anything that is no failure of SQLite comes back as it is. */
export function toRegistryError(error: unknown, location: string): unknown {
  if (error instanceof TypeError && error.message === "The database connection is not open") {
    return new RegistryError("registry_closed", `The registry ${location} is closed.`, { cause: error });
  }
  const code = sqliteCode(error);
  if (code === undefined) return error;
  const failure = (name: ConstructorParameters<typeof RegistryError>[0], message: string): RegistryError =>
    new RegistryError(name, message, { cause: error });
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return failure("database_busy", `${location} is in use by another program. Try again in a moment.`);
  }
  if (
    code === "SQLITE_ERROR" &&
    /no such (table|column)|has no column named/.test((error as Error).message)
  ) {
    return failure(
      "schema_too_old",
      `${location} does not have the newest schema. Open it to write to bring it up to date.`,
    );
  }
  // A log's index cannot be made only where there is no room for it.
  if (code === "SQLITE_FULL" || code === "SQLITE_IOERR_SHMSIZE") {
    return failure(
      "disk_full",
      `The disk is full: nothing was changed in ${location}. Free some space and try again.`,
    );
  }
  if (code === "SQLITE_READONLY_DIRECTORY" || code === "SQLITE_READONLY_CANTINIT") {
    return failure(
      "read_only",
      `${location} cannot even be read where it is: that takes a log beside it, and the folder ${dirname(location)} cannot be written to. ${COPY}`,
    );
  }
  if (code.startsWith("SQLITE_READONLY")) {
    return failure(
      "read_only",
      `${location} cannot be written: check the rights of the file, of its -wal and -shm beside it, and of the folder.`,
    );
  }
  if (code.startsWith("SQLITE_CORRUPT")) {
    return failure(
      "database_damaged",
      `${location} is damaged. \`cortex check\` says where, and \`cortex repair\` mends it.`,
    );
  }
  if (code === "SQLITE_NOTADB") {
    return failure(
      "not_a_registry",
      `${location} is not a database. Choose another path; or where a registry was there, \`cortex repair\` brings back what is left of it.`,
    );
  }
  if (
    code.startsWith("SQLITE_CANTOPEN") ||
    code.startsWith("SQLITE_PERM") ||
    code.startsWith("SQLITE_AUTH")
  ) {
    return failure(
      "read_only",
      `${location} cannot be opened: check the rights of the file, of its -wal and -shm beside it, and of the folder, which has to be writable even to read. ${COPY}`,
    );
  }
  if (code.startsWith("SQLITE_IOERR")) {
    return failure("io_error", `Reading or writing ${location} failed (${code}). Check the disk.`);
  }
  return error;
}

/** SQLite rolls a whole transaction back on some failures, such as a full disk. */
export function givenUp(location: string): RegistryError {
  return new RegistryError(
    "io_error",
    `SQLite gave the transaction on ${location} up after a failure; nothing of it was kept.`,
  );
}

/** Whether another connection holds the lock that a statement needed. */
export function isBusy(error: unknown): boolean {
  return sqliteCode(error)?.startsWith("SQLITE_BUSY") ?? false;
}

/** Whether a rollback journal is beside the file that a connection that only reads cannot play back. */
export function needsRollback(error: unknown): boolean {
  return error instanceof RegistryError && sqliteCode(error.cause) === "SQLITE_READONLY_ROLLBACK";
}

/** Whether what is in the file is none of SQLite's. */
export function isNoDatabase(error: unknown): boolean {
  return error instanceof RegistryError && sqliteCode(error.cause) === "SQLITE_NOTADB";
}

function sqliteCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return error.code.startsWith("SQLITE_") ? error.code : undefined;
}
