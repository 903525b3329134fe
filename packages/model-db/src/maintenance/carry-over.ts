import Database from "better-sqlite3";

import type { CarriedTable } from "./assembly-report.ts";

/** What was brought along. */
export interface CarriedOver {
  /** The tables of old programs. */
  readonly tables: CarriedTable[];
  /** The file from which users, grants and tokens were all read; `undefined` where none has all of them. */
  readonly accessFrom: string | undefined;
}

// In the order in which they point at each other.
const ACCESS_TABLES = ["access_user", "access_grant", "access_token"];

/**
 * Brings along what a registry's file holds beside its models and their history: who may use it, the
 * tables of old programs that use the same file, and how these spelled the models. Nothing that would act
 * by itself is taken: no trigger.
 *
 * @param target a registry in which the models are already, by their ids, within a transaction.
 * @param paths files to take it from, the best first; what one cannot give, the next is asked for.
 */
export function carryOver(target: Database.Database, paths: readonly string[]): CarriedOver {
  const own = new Set(target.prepare("SELECT name FROM sqlite_schema").pluck().all() as string[]);
  const carried = new Map<string, CarriedTable>();
  let accessFrom: string | undefined;
  // A grant may be found whose user is not.
  target.pragma("defer_foreign_keys = ON");
  for (const path of paths) {
    const source = attempt(() => new Database(path, { readonly: true, fileMustExist: true }));
    if (source === undefined) continue;
    try {
      const tables = attempt(() => tablesOf(source));
      if (accessFrom === undefined && tables !== undefined && copyAccess(source, target, tables)) {
        accessFrom = path;
      }
      for (const { name, wr } of tables ?? []) {
        if (own.has(name) || carried.get(name)?.complete === true) continue;
        const complete = attempt(() => copyTable(source, target, { name, hasRowid: wr === 0 })) ?? false;
        carried.set(name, { name, complete });
      }
      attempt(() => copySpellings(source, target));
    } finally {
      source.close();
    }
  }
  for (const table of ACCESS_TABLES.slice(1)) {
    target.exec(`DELETE FROM ${table} WHERE user_name NOT IN (SELECT name FROM access_user)`);
  }
  return { tables: [...carried.values()], accessFrom };
}

/** Who may use the registry: what is there already stays. @returns whether all of it could be read. */
function copyAccess(
  source: Database.Database,
  target: Database.Database,
  tables: readonly { name: string }[],
): boolean {
  // An older schema has none of them.
  const there = ACCESS_TABLES.filter((wanted) => tables.some(({ name }) => name === wanted));
  const copied = there.map(
    (name) => attempt(() => copyTable(source, target, { name, hasRowid: false })) ?? false,
  );
  return copied.every(Boolean);
}

function tablesOf(source: Database.Database): { name: string; wr: 0 | 1 }[] {
  return source
    .prepare<[], { name: string; wr: 0 | 1 }>(
      "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT GLOB 'sqlite_*'",
    )
    .all();
}

/** Copies as many rows as can be read, from both ends. @returns whether that is all of them. */
function copyTable(
  source: Database.Database,
  target: Database.Database,
  { name, hasRowid }: { name: string; hasRowid: boolean },
): boolean {
  const table = quoted(name);
  if (target.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(name) === undefined) {
    const objects = source
      .prepare(
        "SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND type IN ('table', 'index') AND sql IS NOT NULL ORDER BY type DESC",
      )
      .pluck();
    for (const sql of objects.all(name) as string[]) target.exec(sql);
  }
  const columns = source.prepare("SELECT name FROM pragma_table_info(?)").pluck().all(name) as string[];
  const names = [...(hasRowid ? ["rowid"] : []), ...columns.map(quoted)];
  const insert = target.prepare(
    `INSERT OR IGNORE INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
  );
  const copy = (order: string): true => {
    const rows = source
      .prepare(`SELECT ${names.join(", ")} FROM ${table}${order}`)
      .raw()
      .safeIntegers();
    for (const row of rows.iterate() as IterableIterator<unknown[]>) insert.run(...row);
    return true;
  };
  if (attempt(() => copy("")) === true) return true;
  if (hasRowid) attempt(() => copy(" ORDER BY rowid DESC"));
  return false;
}

/** How old programs spelled the models that are there. */
function copySpellings(source: Database.Database, target: Database.Database): void {
  const seqOf = target.prepare<[string], number>("SELECT seq FROM model WHERE model_id = ?").pluck();
  const rows = source
    .prepare<[], Record<string, unknown>>(
      "SELECT model.model_id, model_legacy.* FROM model_legacy JOIN model ON model.seq = model_legacy.model_seq",
    )
    .iterate();
  for (const { model_id: modelId, ...row } of rows) {
    const seq = seqOf.get(modelId as string);
    if (seq === undefined) continue;
    const columns = Object.keys(row);
    target
      .prepare(
        `INSERT OR IGNORE INTO model_legacy (${columns.join(", ")}) VALUES (${columns.map((name) => `@${name}`).join(", ")})`,
      )
      .run({ ...row, model_seq: seq });
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

// What is damaged fails as it likes; what it would have given is reported as missing.
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Database.SqliteError) return undefined;
    throw error;
  }
}
