import { isUtf8 } from "node:buffer";
import { statSync } from "node:fs";

import Database from "better-sqlite3";

import type {
  LegacyEntry,
  LegacyItem,
  LegacyNote,
  LegacyRefusal,
  LegacyStore,
  Problem,
} from "./legacy-entry.ts";
import { LegacyStoreError } from "./legacy-store-error.ts";
import { scratchCopy, type ScratchCopy } from "./scratch-copy.ts";

/** The columns of schema v0 (and of 1.0.0 to 1.0.3, which had no version), then what v1 and v2 added. */
export const COLUMNS = [
  "model_id",
  "author_repo_id",
  "branch_name",
  "path_to_model_yaml",
  "model_alias",
  "model_format",
  "model_source",
  "status",
  "engine",
  "metadata",
] as const;
type Column = (typeof COLUMNS)[number];
type Row = { rowid: number } & Record<Column, string | Buffer | number | null>;

const PAGE_ROWS = 500;
const OTHER_TABLES = ["engines", "hardware", "files"] as const;

/**
 * A `cortex.db` of any schema (none, v0 to v3), read from a copy: see {@link scratchCopy}. Which columns
 * there are is asked of the table itself, because a release that opens a newer file only renumbers it.
 *
 * @throws LegacyStoreError `unreadable`, `damaged`, `is_registry`, `changed`
 */
export class CortexDb implements LegacyStore {
  readonly kind = "cortex.db";
  readonly unit = "rows";
  readonly path: string;
  readonly total: number;
  readonly modifiedAt: number;
  readonly notes: readonly LegacyNote[];
  /** The table that holds the models; `undefined` in an empty database. */
  readonly table: string | undefined;
  done = 0;
  readonly #copy: ScratchCopy;
  readonly #database: Database.Database;
  readonly #page: Database.Statement<[number], Row> | undefined;
  readonly #one: Database.Statement<[number], Row> | undefined;
  readonly #bytes: Database.Statement<[number], Record<Column, Buffer | null>> | undefined;

  constructor(path: string) {
    this.path = path;
    this.modifiedAt = Math.max(0, Math.trunc(statSync(path).mtimeMs));
    this.#copy = scratchCopy(path);
    try {
      // Not read-only: a journal beside the copy has to be rolled back first.
      this.#database = new Database(this.#copy.path);
      const notes: LegacyNote[] = [];
      const table = this.#checked(() => modelsTable(this.#database, path, notes));
      this.table = table;
      this.notes = notes;
      this.total = table === undefined ? 0 : count(this.#database, table);
      if (table === undefined) return;
      const present = new Set(columnsOf(this.#database, table));
      const all = (expression: (column: Column) => string): string =>
        COLUMNS.map((column) => `${present.has(column) ? expression(column) : "NULL"} AS ${column}`).join(
          ", ",
        );
      const text = all((column) => column);
      this.#page = this.#database.prepare(
        `SELECT rowid, ${text} FROM ${table} WHERE rowid > ? ORDER BY rowid LIMIT ${PAGE_ROWS}`,
      );
      this.#one = this.#database.prepare(`SELECT rowid, ${text} FROM ${table} WHERE rowid = ?`);
      this.#bytes = this.#database.prepare(
        `SELECT ${all((column) => `CAST(${column} AS BLOB)`)} FROM ${table} WHERE rowid = ?`,
      );
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** The copy that everything is read from. */
  get copyPath(): string {
    return this.#copy.path;
  }

  *scan(): Generator<LegacyItem> {
    this.done = 0;
    let after = Number.MIN_SAFE_INTEGER;
    for (;;) {
      const rows = this.#checked(() => this.#page?.all(after) ?? []);
      for (const row of rows) {
        yield this.#read(row);
        this.done++;
      }
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.rowid;
    }
  }

  entryAt(position: number): LegacyEntry {
    const row = this.#checked(() => this.#one?.get(position));
    const item = row === undefined ? undefined : this.#read(row);
    if (item?.kind === "entry") return item;
    throw new RangeError(`row ${position} of ${this.path} is no entry`);
  }

  assertUnchanged(): void {
    this.#copy.assertUnchanged();
  }

  [Symbol.dispose](): void {
    this.#database?.close();
    this.#copy?.[Symbol.dispose]();
  }

  #read(row: Row): LegacyItem {
    if (row.model_id === null || row.model_id === "") {
      return refuse(row, {
        code: "id_absent",
        why: "The row has no id.",
        remedy: "Give it one in cortex.db (UPDATE models SET model_id = …) and run again, or leave it.",
      });
    }
    const broken = COLUMNS.find((column) => this.#isBroken(row, column));
    if (broken !== undefined) {
      return refuse(row, {
        code: "not_utf8",
        why: `The column ${broken} holds bytes that are not UTF-8 text.`,
        remedy: `Write it as text in cortex.db (UPDATE models SET ${broken} = … WHERE rowid = ${row.rowid}) and run again.`,
      });
    }
    const text = (column: Column): string | null => (row[column] === null ? null : String(row[column]));
    return {
      kind: "entry",
      store: "cortex.db",
      line: row.rowid,
      position: row.rowid,
      modelId: text("model_id")!,
      author: text("author_repo_id"),
      branch: text("branch_name"),
      configPath: text("path_to_model_yaml"),
      alias: text("model_alias"),
      status: text("status"),
      modelFormat: text("model_format"),
      modelSource: text("model_source"),
      engine: text("engine"),
      metadata: text("metadata"),
      notes: [],
      rest: null,
    };
  }

  // Bytes that are no UTF-8 are read as U+FFFD: only the bytes themselves can tell the two apart.
  #isBroken(row: Row, column: Column): boolean {
    const value = row[column];
    if (Buffer.isBuffer(value)) return true;
    if (typeof value !== "string" || !value.includes("\ufffd")) return false;
    const bytes = this.#bytes?.get(row.rowid)?.[column];
    return Buffer.isBuffer(bytes) && !isUtf8(bytes);
  }

  #checked<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Database.SqliteError)) throw error;
      if (error.code === "SQLITE_NOTADB") {
        const message = `${this.path} is not a database. Restore it from a backup, or name the model.list itself.`;
        throw new LegacyStoreError("unreadable", message, { cause: error });
      }
      throw new LegacyStoreError("damaged", damaged(this.path, error.message), { cause: error });
    }
  }
}

// The table with the models; `undefined` where there is none because the file is empty.
function modelsTable(database: Database.Database, path: string, notes: LegacyNote[]): string | undefined {
  const check = database.pragma("quick_check(1)", { simple: true });
  if (check !== "ok") throw new LegacyStoreError("damaged", damaged(path, String(check)));
  const objects = database
    .prepare<[], { name: string; type: string }>(
      "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')",
    )
    .all();
  const types = new Map(objects.map(({ name, type }) => [name, type]));
  if (types.get("models") === "view" || (types.has("model") && types.has("model_name"))) {
    throw new LegacyStoreError(
      "is_registry",
      `${path} is a registry already; there is nothing to migrate from it.`,
    );
  }
  if (objects.length === 0) {
    notes.push({ code: "empty_store", text: `${path} is an empty database: it holds no models.` });
    return undefined;
  }
  for (const table of OTHER_TABLES) {
    const rows = types.get(table) === "table" ? count(database, table) : 0;
    if (rows === 0) continue;
    const text = `${path} also has ${rows} ${rows === 1 ? "row" : "rows"} of ${table}, which are no models; they stay where they are.`;
    notes.push({ code: "other_table", text });
  }
  if (types.has("models")) {
    if (types.has("models_old")) notes.push(leftoverNote(database, path));
    return "models";
  }
  if (types.has("models_old")) {
    const text = `${path} has no table models; a failed downgrade of the old program left models_old, which is read instead.`;
    notes.push({ code: "models_old_read", text });
    return "models_old";
  }
  throw new LegacyStoreError("unreadable", `${path} is no cortex.db: it has no table "models".`);
}

function leftoverNote(database: Database.Database, path: string): LegacyNote {
  const rows = database
    .prepare<[], { rows: number }>(
      "SELECT count(*) AS rows FROM models_old WHERE model_id NOT IN (SELECT model_id FROM models WHERE model_id IS NOT NULL)",
    )
    .get()!.rows;
  const text = `${path} has a table models_old, left by a failed downgrade of the old program; ${rows} of its models are not in models. It is not read.`;
  return { code: "models_old_left", text };
}

function columnsOf(database: Database.Database, table: string): string[] {
  return database
    .prepare<[string], { name: string }>("SELECT name FROM pragma_table_info(?)")
    .all(table)
    .map(({ name }) => name);
}

function count(database: Database.Database, table: string): number {
  return database.prepare<[], { rows: number }>(`SELECT count(*) AS rows FROM ${table}`).get()!.rows;
}

function refuse(row: Row, { code, why, remedy }: Problem): LegacyRefusal {
  const shown = Object.fromEntries(
    COLUMNS.map((column) => {
      const value = row[column];
      return [column, Buffer.isBuffer(value) ? `x'${value.toString("hex")}'` : value];
    }),
  );
  return {
    kind: "refusal",
    store: "cortex.db",
    line: row.rowid,
    text: JSON.stringify(shown),
    code,
    why,
    remedy,
  };
}

function damaged(path: string, why: string): string {
  return `${path} is damaged (${why}). Restore it from a backup, or salvage it with "sqlite3 cortex.db .recover", and run again.`;
}
