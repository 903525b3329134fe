import type { NewModel } from "@cortex/model-db";
import type Database from "better-sqlite3";

import { STABLE_COLUMNS } from "./raw.ts";
import { checksum, digest, NAMES, toRecord, toRow, type Row, type Value } from "./row.ts";
import { BOOT, TICK } from "./running.ts";

/** Which of the registry's extras a raw writer does as well. */
export interface Extras {
  history: boolean;
  checksums: boolean;
  /** After each row, or once for all of them. */
  search: boolean | "at the end";
}
/** All of them: the same rows in the same tables as the registry writes. */
export const EQUAL_WORK: Extras = { history: true, checksums: true, search: true };
/** Models, names and tags only. */
export const BARE: Extras = { history: false, checksums: false, search: false };

/** A change of one model that a client of a service asks for. */
export interface AskedChange {
  readonly name: string;
  readonly contextLength: number;
  readonly origin: { readonly address: string; readonly request_id: string };
}

/** A column that changes, and how the history says its value. */
interface Column {
  readonly name: string;
  readonly update: Database.Statement;
  readonly said: (value: Value) => unknown;
}

/** Changes a registry's file by prepared statements in straight code, without any check of the input. */
export class RawWriter {
  readonly #extras: Extras;
  readonly #insert: Database.Statement;
  readonly #name: Database.Statement;
  readonly #tag: Database.Statement;
  readonly #search: Database.Statement;
  readonly #searchFrom: Database.Statement;
  readonly #newestEvent: Database.Statement;
  readonly #event: Database.Statement;
  readonly #read: Database.Statement;
  readonly #pinned: Column;
  readonly #contextLength: Column;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #savepoint: Database.Statement;
  readonly #release: Database.Statement;
  // The key of the first model that was inserted.
  #first: number | undefined;

  constructor(connection: Database.Database, extras: Extras) {
    this.#extras = extras;
    const prepare = (sql: string): Database.Statement => connection.prepare(sql);
    this.#insert = prepare(
      `INSERT INTO model (${NAMES.join(", ")}) VALUES (${NAMES.map(() => "?").join(", ")})`,
    );
    this.#name = prepare("INSERT INTO model_name (name, model_seq) VALUES (?, ?)");
    this.#tag = prepare("INSERT INTO model_tag (model_seq, tag) VALUES (?, ?)");
    this.#search = prepare(
      "INSERT INTO model_search (rowid, text) SELECT seq, text FROM model_search_text WHERE seq = +?",
    );
    this.#searchFrom = prepare(
      "INSERT INTO model_search (rowid, text) SELECT seq, text FROM model_search_text WHERE seq >= +?",
    );
    this.#newestEvent = prepare("SELECT max(event_id) FROM model_event").pluck();
    this.#event = prepare(
      "INSERT INTO model_event (event_id, model_id, kind, actor, at, row_version, before, after, row_checksum, origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#read = prepare(
      `SELECT ${STABLE_COLUMNS} FROM model_name JOIN model ON model.seq = model_name.model_seq WHERE model_name.name = +?`,
    );
    const column = (name: string, said: Column["said"]): Column => ({
      name,
      said,
      update: prepare(
        `UPDATE model SET ${name} = ?, updated_at = ?, row_version = ?, row_checksum = ? WHERE seq = +? AND row_version = +?`,
      ),
    });
    this.#pinned = column("pinned", (value) => value === 1);
    this.#contextLength = column("context_length", (value) => value);
    this.#begin = prepare("BEGIN IMMEDIATE");
    this.#commit = prepare("COMMIT");
    this.#savepoint = prepare("SAVEPOINT one");
    this.#release = prepare("RELEASE one");
  }

  begin(): void {
    this.#begin.run();
  }

  commit(): void {
    this.#commit.run();
  }

  /** Adds models in one transaction. */
  insertMany(models: Iterable<NewModel>): void {
    this.begin();
    for (const model of models) this.insert(model);
    this.finish();
  }

  /** Ends a transaction of many inserts. */
  finish(): void {
    if (this.#extras.search === "at the end" && this.#first !== undefined) this.#searchFrom.run(this.#first);
    this.commit();
  }

  /** Adds one model, inside a transaction. */
  insert(model: NewModel): void {
    const row = toRow(model);
    if (this.#extras.checksums) row["row_checksum"] = checksum(row);
    const seq = Number(this.#insert.run(...NAMES.map((name) => row[name]!)).lastInsertRowid);
    this.#first ??= seq;
    this.#name.run(model.modelId, seq);
    if (model.alias != null && model.alias !== model.modelId) this.#name.run(model.alias, seq);
    for (const tag of model.tags ?? []) this.#tag.run(seq, tag);
    if (this.#extras.search === true) this.#search.run(seq);
    if (this.#extras.history) this.#addEvent(row, "created", null, JSON.stringify(toRecord(row)));
  }

  /** Adds one model in a transaction of its own. */
  create(model: NewModel): void {
    this.begin();
    this.insert(model);
    this.commit();
  }

  /** Turns the pin of a model over, in a transaction of its own, refusing if it was changed meanwhile. */
  togglePin(name: string, at: number): void {
    this.begin();
    this.#turnPin(name, at);
    this.commit();
  }

  /** The same for several models in one transaction, each in a savepoint, so that it could fail alone. */
  togglePins(names: readonly string[], at: number): void {
    this.begin();
    for (const name of names) {
      this.#savepoint.run();
      this.#turnPin(name, at);
      this.#release.run();
    }
    this.commit();
  }

  /** Changes a model as it is asked, in a transaction of its own, and returns it as it is then. */
  change(asked: AskedChange, at: number): Row {
    this.begin();
    const row = this.#setContextLength(asked, at);
    this.commit();
    return row;
  }

  /** The same for several models in one transaction, each in a savepoint, so that it could fail alone. */
  changeAll(asked: readonly AskedChange[], at: number): Row[] {
    this.begin();
    const rows = asked.map((each) => {
      this.#savepoint.run();
      const row = this.#setContextLength(each, at);
      this.#release.run();
      return row;
    });
    this.commit();
    return rows;
  }

  #turnPin(name: string, at: number): void {
    const row = this.#find(name);
    this.#set(this.#pinned, row, 1 - (row["pinned"] as number), at, null);
  }

  #setContextLength({ name, contextLength, origin }: AskedChange, at: number): Row {
    const row = this.#find(name);
    this.#set(this.#contextLength, row, contextLength, at, JSON.stringify(origin));
    return row;
  }

  #find(name: string): Row {
    const row = this.#read.get(BOOT, TICK, name) as Row | undefined;
    if (row === undefined) throw new Error(`There is no model ${name}.`);
    return row;
  }

  #set({ name, update, said }: Column, row: Row, value: Value, at: number, origin: string | null): void {
    const version = row["row_version"] as number;
    const before = row[name]!;
    Object.assign(row, { [name]: value, updated_at: at, row_version: version + 1 });
    if (this.#extras.checksums) row["row_checksum"] = checksum(row);
    const { changes } = update.run(value, at, version + 1, row["row_checksum"], row["seq"], version);
    if (changes !== 1) throw new Error(`${row["model_id"]} was changed meanwhile.`);
    if (!this.#extras.history) return;
    const [from, to] = [before, value].map((each) => JSON.stringify({ [name]: said(each) }));
    this.#addEvent(row, "updated", from!, to!, origin);
  }

  #addEvent(
    row: Row,
    kind: string,
    before: string | null,
    after: string,
    origin: string | null = null,
  ): void {
    const { model_id, updated_at, row_version } = row as Record<string, Value>;
    const id = ((this.#newestEvent.get() as number | null) ?? 0) + 1;
    const values = [id, model_id!, kind, "bench", updated_at!, row_version!, before, after];
    const signed = origin === null ? values : [...values, origin];
    this.#event.run(...values, this.#extras.checksums ? digest(signed) : "", origin);
  }
}
