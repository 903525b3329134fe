import type Database from "better-sqlite3";

import { finding, type Look } from "../findings.ts";

const MOST = 100;

/** The file as SQLite knows it: its pages, and where `full`, whether its indexes agree with its tables. */
export function* checkStructure(connection: Database.Database, full: boolean): Generator<Look, undefined> {
  for (const said of structureProblems(connection, full ? "integrity_check" : "quick_check", MOST))
    yield finding("structure", "file", `SQLite says: ${said}.`);
}

/** What SQLite has to say against the pages of a file: so many problems at most. */
export function structureProblems(
  connection: Database.Database,
  check: "integrity_check" | "quick_check",
  most: number,
): string[] {
  // Where the schema has a view, SQLite passes over the list of free pages unless one table is named.
  return [`${check}(${most})`, `${check}(sqlite_schema)`]
    .flatMap((pragma) => connection.pragma(pragma) as object[])
    .flatMap((row) => String(Object.values(row)[0]).split("\n"))
    .filter((line) => line !== "ok" && !line.startsWith("*** in database"))
    .slice(0, most);
}

/** Rows that point at a model that is not there. */
export function* checkReferences(connection: Database.Database): Generator<Look, undefined> {
  const rows = connection.pragma("foreign_key_check") as { table: string; rowid: number | null }[];
  for (const { table } of rows.slice(0, MOST)) {
    yield finding("reference", table, `A row of ${table} belongs to a model that is not there.`);
  }
}
