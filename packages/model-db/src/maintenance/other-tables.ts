import Database from "better-sqlite3";

/** A table that is none of the registry's own, such as those of the old cortex program in its `cortex.db`. */
export interface OtherTable {
  readonly name: string;
  /** How many rows came along; `null` where it could be read nowhere, so that it is lost. */
  readonly rowCount: number | null;
}

interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly table: string;
  readonly sql: string;
}

/**
 * Brings what other programs keep beside a registry into one that is built anew: each table whole, from
 * the first database that it can be read from. How old programs spelled the models comes along, too.
 *
 * @param connection of the new registry, within a transaction.
 * @param databases paths, the best first; what is none, or damaged, is passed over.
 */
export function bringOtherTables(connection: Database.Database, databases: readonly string[]): OtherTable[] {
  const own = new Set(objectsOf(connection).map(({ name }) => name));
  const rowCounts = new Map<string, number | null>();
  let spelled = false;
  for (const path of databases) {
    const source = open(path);
    if (source === undefined) continue;
    try {
      spelled ||= attempt(connection, () => bringSpellings(connection, source));
      const objects = objectsOf(source).filter(({ name, table }) => !own.has(name) && !own.has(table));
      for (const { name } of objects.filter(({ type }) => type === "table")) {
        if (typeof rowCounts.get(name) === "number") continue;
        const belonging = objects.filter(({ table }) => table === name);
        let rowCount = 0;
        const done = attempt(connection, () => (rowCount = bringTable(connection, source, name, belonging)));
        rowCounts.set(name, done ? rowCount : null);
      }
    } catch {
      // Its schema cannot be read: the next one may have it.
    } finally {
      source.close();
    }
  }
  return Array.from(rowCounts, ([name, rowCount]) => ({ name, rowCount }));
}

function open(path: string): Database.Database | undefined {
  try {
    return new Database(path, { readonly: true, fileMustExist: true });
  } catch {
    return undefined;
  }
}

// The search index's own tables make themselves.
function objectsOf(database: Database.Database): SchemaObject[] {
  return database
    .prepare<[], SchemaObject>(
      `SELECT type, name, tbl_name AS "table", sql FROM sqlite_schema
       WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
       ORDER BY CASE type WHEN 'table' THEN 0 ELSE 1 END`,
    )
    .all();
}

/** Whether all of it could be done; else nothing of it is. */
function attempt(connection: Database.Database, work: () => void): boolean {
  connection.exec("SAVEPOINT bring");
  try {
    work();
    connection.exec("RELEASE bring");
    return true;
  } catch {
    connection.exec("ROLLBACK TO bring; RELEASE bring");
    return false;
  }
}

function bringTable(
  connection: Database.Database,
  source: Database.Database,
  name: string,
  objects: readonly SchemaObject[],
): number {
  for (const { sql } of objects) connection.exec(sql);
  const quoted = `"${name.replaceAll('"', '""')}"`;
  const rows = source.prepare(`SELECT * FROM ${quoted}`).safeIntegers().raw();
  const places = rows.columns().map(() => "?");
  const insert = connection.prepare(`INSERT INTO ${quoted} VALUES (${places.join(", ")})`);
  let count = 0;
  for (const row of rows.iterate()) {
    insert.run(row);
    count++;
  }
  return count;
}

// The numbers of the models are new; their ids are what they were.
function bringSpellings(connection: Database.Database, source: Database.Database): void {
  const rows = source
    .prepare<[], Record<string, unknown>>(
      `SELECT model.model_id AS model_id, model_legacy.* FROM model_legacy JOIN model ON model.seq = model_legacy.model_seq`,
    )
    .all();
  const seqOf = connection.prepare("SELECT seq FROM model WHERE model_id = ?").pluck();
  for (const { model_id, ...row } of rows) {
    const seq = seqOf.get(model_id);
    if (seq === undefined) continue;
    const spelled = { ...row, model_seq: seq };
    const columns = Object.keys(spelled);
    connection
      .prepare(
        `INSERT INTO model_legacy (${columns.join(", ")}) VALUES (${columns.map((column) => `@${column}`).join(", ")})`,
      )
      .run(spelled);
  }
}
