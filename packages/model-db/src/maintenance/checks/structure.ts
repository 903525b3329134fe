import type Database from "better-sqlite3";

import { finding, type Look } from "../findings.ts";

const MOST = 100;

/** The file as SQLite knows it: its pages, and where `full`, whether its indexes agree with its tables. */
export function* checkStructure(connection: Database.Database, full: boolean): Generator<Look, undefined> {
  const pragma = full ? "integrity_check" : "quick_check";
  for (const row of connection.pragma(`${pragma}(${MOST})`) as object[]) {
    const [said] = Object.values(row) as string[];
    if (said !== "ok") yield finding("structure", "file", `SQLite says: ${String(said)}.`);
  }
}

/** Rows that point at a model that is not there. */
export function* checkReferences(connection: Database.Database): Generator<Look, undefined> {
  const rows = connection.pragma("foreign_key_check") as { table: string; rowid: number | null }[];
  for (const { table } of rows.slice(0, MOST)) {
    yield finding("reference", table, `A row of ${table} belongs to a model that is not there.`);
  }
}
