import { hash } from "node:crypto";

import Database from "better-sqlite3";

/** What a registry's file holds, read without the library, and what is wrong with it. */
export interface RegistryContent {
  /** Over every row of every table but those of the search index, which is made from them. */
  readonly digest: string;
  readonly problems: readonly string[];
}

const CHECKED = ["model", "model_event", "model_file"];

/** Reads a registry whose schema may be of any version. */
export function readContent(location: string): RegistryContent {
  const connection = new Database(location, { readonly: true });
  try {
    const tables = connection
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'model_search%' ORDER BY name",
      )
      .pluck()
      .all() as string[];
    const problems: string[] = [];
    const texts = tables.map((table) => {
      const statement = connection.prepare(`SELECT * FROM "${table}" ORDER BY 1, 2`).raw();
      const columns = statement.columns().map(({ name }) => name);
      const rows = statement.all() as (string | number | null)[][];
      if (CHECKED.includes(table)) problems.push(...badChecksums(table, columns, rows));
      return `${table} ${JSON.stringify(rows)}`;
    });
    const integrity = connection.pragma("integrity_check", { simple: true });
    if (integrity !== "ok") problems.push(`integrity_check: ${String(integrity)}`);
    const dangling = connection.pragma("foreign_key_check") as unknown[];
    if (dangling.length > 0) problems.push(`${dangling.length} rows point nowhere`);
    return { digest: hash("sha1", texts.join("\n"), "hex"), problems };
  } finally {
    connection.close();
  }
}

// The checksum of a row is over its other columns in their order, but not over the rowid. Those behind it came
// with a later schema, and count where they say something.
function badChecksums(
  table: string,
  columns: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
): string[] {
  const at = columns.indexOf("row_checksum");
  const values = columns.flatMap((name, index) => (name === "seq" || index === at ? [] : [index]));
  return rows.flatMap((row) => {
    const told = values.filter((index) => index < at || Boolean(row[index]));
    const text = JSON.stringify(told.map((index) => row[index]));
    const holds = row[at] === "" || hash("sha256", text, "hex").slice(0, 16) === row[at];
    return holds ? [] : [`a damaged row of ${table}: ${text.slice(0, 80)}`];
  });
}
