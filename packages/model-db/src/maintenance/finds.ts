import Database from "better-sqlite3";

import type { ModelEvent } from "../domain/event.ts";
import type { Model, ModelFile } from "../domain/model.ts";
import { RegistryError } from "../errors.ts";
import { eventChecksum, toEventRow, toModelEvent, type EventTable } from "../schema/event.ts";
import { toModelFile, type FileTable } from "../schema/file.ts";
import { toModel, toModelValues, type ModelValues } from "../schema/model.ts";
import type { Amendment } from "./assemble.ts";
import type { EventRange } from "./assembly-report.ts";
import type { CarvedRow } from "./carve.ts";
import type { Evidence, KnownEvent, KnownFile, KnownRow, Origin } from "./newest-state.ts";
import { missedBefore } from "./repaired-event.ts";

/** A model as it is to be, and what decides its place and its names. */
export interface Result {
  readonly model: Model;
  readonly files: readonly ModelFile[];
  readonly seq: number | undefined;
  readonly createdBy: number | undefined;
  readonly lastEventId: number;
}

/** A name, and a model that is called by it. */
export interface Claim {
  readonly name: string;
  readonly modelId: string;
}

// In a file that SQLite makes where temporary files go, and that nobody else sees: there may be millions of rows.
const SCHEMA = `
  CREATE TABLE event (
    event_id INTEGER PRIMARY KEY, model_id TEXT, kind TEXT, actor TEXT, at INTEGER, row_version INTEGER,
    before TEXT, after TEXT, row_checksum TEXT, origin TEXT, found_in TEXT, verified INTEGER
  );
  CREATE TABLE known_row (
    model_id TEXT, row_version INTEGER, row_checksum TEXT, source INTEGER, live INTEGER, origin TEXT,
    seq INTEGER, verified INTEGER, row TEXT,
    PRIMARY KEY (model_id, row_version, row_checksum, source, live)
  ) WITHOUT ROWID;
  CREATE TABLE known_file (
    model_id TEXT, path TEXT, row_checksum TEXT, source INTEGER, live INTEGER, file TEXT,
    PRIMARY KEY (model_id, path, row_checksum, source, live)
  ) WITHOUT ROWID;
  CREATE TABLE result (
    model_id TEXT PRIMARY KEY, seq INTEGER, created_by INTEGER, last_event INTEGER, row TEXT, files TEXT
  ) WITHOUT ROWID;
  CREATE TABLE claim (name TEXT, model_id TEXT, is_id INTEGER, PRIMARY KEY (name, model_id)) WITHOUT ROWID;
  CREATE TABLE amendment (number INTEGER PRIMARY KEY, event TEXT);
`;
const IDS_AT_ONCE = 1000;
// Rows come in the order of the file and go by their models: with less, each would be read and written many times.
const CACHE_KIB = 262_144;

type EventRow = EventTable & { found_in: Origin; verified: 0 | 1 };

/** All that was found of a registry, kept on disk while it is put together. */
export class Finds implements Disposable {
  readonly #database = new Database("");
  readonly #statements = new Map<string, Database.Statement>();
  #contradictions = 0;

  constructor() {
    this.#database.pragma("journal_mode = OFF");
    this.#database.pragma("synchronous = OFF");
    this.#database.pragma(`cache_size = -${CACHE_KIB}`);
    this.#database.exec(SCHEMA);
    this.#database.exec("BEGIN");
  }

  /** How many events two sources told differently. */
  get contradictions(): number {
    return this.#contradictions;
  }

  /** Adds a row. @param from which source, by its number, and of which kind it is */
  add(found: CarvedRow, from: { origin: Origin; source: number }): void {
    const { live, verified } = found;
    if (!verified && !isReadable(found)) return;
    if (found.table === "model_event") this.#addEvent(found.row, from.origin, verified);
    else if (found.table === "model") this.#addRow(found.row, found.seq, { ...from, live, verified });
    else this.#addFile(found.row, from.source, live);
  }

  /** Adds an event that a checksum vouches for. */
  addEvent(event: ModelEvent, origin: Origin): void {
    this.#addEvent(toEventRow(event), origin, true);
  }

  /** Whether a row is an event that is known as another one. */
  contradicts(found: CarvedRow): boolean {
    if (found.table !== "model_event") return false;
    const known = this.#knownEvent(found.row.event_id);
    return known !== undefined && !isSame(known, found.row);
  }

  /** Everything that was found of each model, in the order of their ids; results can be added meanwhile. */
  *evidence(): Generator<Evidence> {
    this.#database.exec("CREATE INDEX IF NOT EXISTS event_model ON event (model_id, event_id)");
    const page = this.#prepare(
      `SELECT model_id FROM event WHERE model_id > :after AND kind <> 'repaired'
       UNION SELECT model_id FROM known_row WHERE model_id > :after ORDER BY 1 LIMIT ${IDS_AT_ONCE}`,
    ).pluck();
    for (let after = ""; ;) {
      const ids = page.all({ after }) as string[];
      if (ids.length === 0) return;
      const [first, last] = [ids[0]!, ids.at(-1)!];
      // A lookup for each model would take most of the time of a repair.
      const byModel = <T extends { model_id: string }>(table: string, order = ""): Map<string, T[]> => {
        const sql = `SELECT * FROM ${table} WHERE model_id BETWEEN ? AND ?${order}`;
        return Map.groupBy(this.#prepare(sql).all(first, last) as T[], ({ model_id }) => model_id);
      };
      const events = byModel<EventRow>("event", " ORDER BY model_id, event_id");
      const rows = byModel<RowFound>("known_row");
      const files = byModel<FileFound>("known_file");
      for (const modelId of ids) {
        yield {
          modelId,
          events: (events.get(modelId) ?? []).map(toKnownEvent),
          rows: (rows.get(modelId) ?? []).map(toKnownRow),
          files: (files.get(modelId) ?? []).map(toKnownFile),
        };
      }
      after = last;
    }
  }

  /** Says what a model is to be, in the place of what was said before. */
  addResult({ model, files, seq, createdBy, lastEventId }: Result): void {
    const row = JSON.stringify(toModelValues(model));
    const { modelId, alias, aliases } = model;
    this.#prepare("INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?, ?, ?)").run(
      modelId,
      seq ?? null,
      createdBy ?? null,
      lastEventId,
      row,
      JSON.stringify(files),
    );
    const claim = this.#prepare("INSERT OR IGNORE INTO claim VALUES (?, ?, ?)");
    claim.run(modelId, modelId, 1);
    for (const name of aliases) claim.run(name, modelId, 0);
    if (alias !== null) claim.run(alias, modelId, 0);
  }

  /** A result that was added. */
  result(modelId: string): Result {
    return toResult(this.#prepare("SELECT * FROM result WHERE model_id = ?").get(modelId) as ResultRow);
  }

  /** The results in the order in which the models were registered. */
  *results(): Generator<Result> {
    this.#placeResults();
    const rows = this.#prepare(
      "SELECT result.* FROM place JOIN result USING (model_id) ORDER BY place.created_by, place.seq",
    ).iterate() as IterableIterator<ResultRow>;
    for (const row of rows) yield toResult(row);
  }

  /** The ids of the results, in the same order. */
  resultIds(): string[] {
    this.#placeResults();
    return this.#prepare("SELECT model_id FROM place ORDER BY created_by, seq").pluck().all() as string[];
  }

  /** The names that more than one result has: the claim that holds first, for each of them. */
  disputedNames(): Claim[] {
    return this.#prepare(
      `SELECT name, model_id AS modelId FROM claim JOIN result USING (model_id)
       WHERE name IN (SELECT name FROM claim GROUP BY name HAVING count(*) > 1)
       ORDER BY name, is_id DESC, last_event DESC, model_id`,
    ).all() as Claim[];
  }

  /** Adds a change that the results entail. */
  amend(event: Amendment): void {
    this.#prepare("INSERT INTO amendment (event) VALUES (?)").run(JSON.stringify(event));
  }

  /** Those changes, in the order in which they were added. */
  *amendments(): Generator<Amendment> {
    const events = this.#prepare("SELECT event FROM amendment ORDER BY number").pluck();
    for (const event of events.iterate() as IterableIterator<string>) yield JSON.parse(event) as Amendment;
  }

  /** The events that were found, as they are to be stored, in the order of their ids. */
  *events(): Generator<EventTable> {
    const events = this.#prepare(
      `SELECT event_id, model_id, kind, actor, at, row_version, before, after, row_checksum, origin
       FROM event ORDER BY event_id`,
    );
    for (const event of events.iterate() as IterableIterator<EventTable>) {
      // One without a checksum was looked at, and gets one.
      yield event.row_checksum === "" ? { ...event, row_checksum: eventChecksum(event) } : event;
    }
  }

  /** How many events were found. */
  eventCount(): number {
    return this.#prepare("SELECT count(*) FROM event").pluck().get() as number;
  }

  /** The newest event that tells of a repair; 0 where there was none. */
  lastRepairEventId(): number {
    const newest = "SELECT coalesce(max(event_id), 0) FROM event WHERE kind = 'repaired'";
    return this.#prepare(newest).pluck().get() as number;
  }

  /** The ids of the events, and of those that an earlier repair missed, as ranges in the order of their beginnings. */
  eventRanges(): EventRange[] {
    const found = this.#prepare(
      `SELECT min(event_id), max(event_id) FROM
         (SELECT event_id, event_id - row_number() OVER (ORDER BY event_id) AS run FROM event)
       GROUP BY run`,
    )
      .raw()
      .all() as EventRange[];
    const missed = this.#prepare("SELECT * FROM event WHERE kind = 'repaired'").all() as EventTable[];
    return found
      .concat(missed.flatMap((row) => missedBefore(toModelEvent(row))))
      .toSorted((a, b) => a[0] - b[0]);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #placeResults(): void {
    // Where the event of its creation is lost, a model follows the ones that were registered before it.
    this.#database.exec(`
      CREATE TABLE IF NOT EXISTS place AS
        SELECT model_id, seq, coalesce(created_by, max(created_by) OVER (ORDER BY seq), 0) AS created_by FROM result;
      CREATE INDEX IF NOT EXISTS place_order ON place (created_by, seq);
    `);
  }

  #addEvent(row: EventTable, foundIn: Origin, verified: boolean): void {
    const known = this.#knownEvent(row.event_id);
    if (known !== undefined) {
      if (!isSame(known, row)) this.#contradictions++;
      if (known.verified === 1 || !verified) return;
    }
    this.#prepare(
      `INSERT OR REPLACE INTO event VALUES (:event_id, :model_id, :kind, :actor, :at, :row_version, :before,
         :after, :row_checksum, :origin, :found_in, :verified)`,
    ).run({ ...row, found_in: foundIn, verified: Number(verified) });
  }

  #knownEvent(eventId: number): EventRow | undefined {
    return this.#prepare("SELECT * FROM event WHERE event_id = ?").get(eventId) as EventRow | undefined;
  }

  #addRow(
    row: ModelValues,
    seq: number,
    { origin, source, live, verified }: { origin: Origin; source: number; live: boolean; verified: boolean },
  ): void {
    this.#prepare("INSERT OR IGNORE INTO known_row VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)").run(
      row.model_id,
      row.row_version,
      row.row_checksum,
      source,
      Number(live),
      origin,
      seq,
      Number(verified),
      JSON.stringify(row),
    );
  }

  #addFile(row: FileTable, source: number, live: boolean): void {
    this.#prepare("INSERT OR IGNORE INTO known_file VALUES (?, ?, ?, ?, ?, ?)").run(
      row.model_id,
      row.path,
      row.row_checksum,
      source,
      Number(live),
      JSON.stringify(row),
    );
  }

  #prepare(sql: string): Database.Statement {
    const known = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}

interface RowFound {
  readonly model_id: string;
  readonly row: string;
  readonly seq: number;
  readonly origin: Origin;
  readonly source: number;
  readonly live: 0 | 1;
  readonly verified: 0 | 1;
}
interface FileFound {
  readonly model_id: string;
  readonly file: string;
  readonly source: number;
  readonly live: 0 | 1;
}
interface ResultRow {
  readonly row: string;
  readonly files: string;
  readonly seq: number | null;
  readonly created_by: number | null;
  readonly last_event: number;
}

// A foreign program's JSON may be written in another way in the log than in the table.
function isSame(one: EventTable, other: EventTable): boolean {
  return (
    one.model_id === other.model_id &&
    one.kind === other.kind &&
    one.at === other.at &&
    one.row_version === other.row_version
  );
}

function toKnownEvent(row: EventRow): KnownEvent {
  return { ...toModelEvent(row), foundIn: row.found_in, verified: row.verified === 1 };
}

function toKnownRow({ row, seq, origin, source, live, verified }: RowFound): KnownRow {
  const model = toModel({ seq, ...(JSON.parse(row) as ModelValues) });
  return { model, seq, origin, source, live: live === 1, verified: verified === 1 };
}

// Without a checksum, a row may hold anything.
function isReadable(found: CarvedRow): boolean {
  try {
    if (found.table === "model") toModel({ seq: found.seq, ...found.row });
    else if (found.table === "model_event") toModelEvent(found.row);
    return true;
  } catch (error) {
    if (error instanceof RegistryError) return false;
    throw error;
  }
}

function toKnownFile({ file, source, live }: FileFound): KnownFile {
  return { file: toModelFile(JSON.parse(file) as FileTable), source, live: live === 1 };
}

function toResult({ row, files, seq, created_by, last_event }: ResultRow): Result {
  return {
    model: toModel({ seq: 0, ...(JSON.parse(row) as ModelValues) }),
    files: JSON.parse(files) as ModelFile[],
    seq: seq ?? undefined,
    createdBy: created_by ?? undefined,
    lastEventId: last_event,
  };
}
