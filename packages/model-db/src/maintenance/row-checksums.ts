import type Database from "better-sqlite3";

import { eventChecksum, type EventTable } from "../schema/event.ts";
import { fileChecksum, type FileTable } from "../schema/file.ts";
import { modelChecksum, type ModelRow } from "../schema/model.ts";

/** The tables whose rows have a checksum. */
export const CHECKSUMMED_TABLES = ["model", "model_file", "model_event"] as const;
/** One of them. */
export type ChecksummedTable = (typeof CHECKSUMMED_TABLES)[number];

/** A row that is not what was written, or that nobody has signed. */
interface UnsoundRow {
  /** The model's id; the event's for `model_event`. */
  readonly subject: string;
  /** `missing`: a program that knows no checksums wrote the row. */
  readonly checksum: "wrong" | "missing";
}

const BATCH = 1000;

/** Some rows of a table, in the order of its key, beyond the last of those before. */
type Page = { rows: number; unsound: UnsoundRow[] };

/**
 * Compares the rows of a table with their checksums, a thousand at a time.
 *
 * @throws what SQLite throws where it cannot read the table.
 */
export function* checkRows(
  connection: Database.Database,
  table: ChecksummedTable,
): Generator<Page, undefined> {
  if (table === "model") {
    const page = connection.prepare<[number, number], ModelRow>(
      "SELECT * FROM model WHERE seq > ? ORDER BY seq LIMIT ?",
    );
    yield* pages(
      page,
      [-1],
      (row) => [row.seq],
      modelChecksum,
      (row) => row.model_id,
    );
  } else if (table === "model_event") {
    const page = connection.prepare<[number, number], EventTable>(
      "SELECT * FROM model_event WHERE event_id > ? ORDER BY event_id LIMIT ?",
    );
    yield* pages(
      page,
      [-1],
      (row) => [row.event_id],
      eventChecksum,
      (row) => String(row.event_id),
    );
  } else {
    const page = connection.prepare<[string, string, number], FileTable>(
      "SELECT * FROM model_file WHERE (model_id, path) > (?, ?) ORDER BY model_id, path LIMIT ?",
    );
    yield* pages(
      page,
      ["", ""],
      (row) => [row.model_id, row.path],
      fileChecksum,
      (row) => row.model_id,
    );
  }
}

function* pages<Key extends unknown[], Row extends { row_checksum: string }>(
  statement: Database.Statement<[...Key, number], Row>,
  start: Key,
  keyOf: (row: Row) => Key,
  checksumOf: (row: Row) => string,
  subjectOf: (row: Row) => string,
): Generator<Page, undefined> {
  for (let key = start; ;) {
    const rows = statement.all(...([...key, BATCH] as [...Key, number]));
    const unsound = rows.flatMap((row): UnsoundRow[] => {
      if (row.row_checksum === "") return [{ subject: subjectOf(row), checksum: "missing" }];
      return row.row_checksum === checksumOf(row) ? [] : [{ subject: subjectOf(row), checksum: "wrong" }];
    });
    yield { rows: rows.length, unsound };
    if (rows.length < BATCH) return;
    key = keyOf(rows.at(-1)!);
  }
}
