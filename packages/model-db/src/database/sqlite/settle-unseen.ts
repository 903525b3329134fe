import type Database from "better-sqlite3";

import { eventChecksum, type EventTable } from "../../schema/event.ts";
import { modelChecksum, type ModelRow } from "../../schema/model.ts";

/** The schema from which on old programs can write, and leave rows that nobody has seen. */
export const UNSEEN_SINCE = 6;

/**
 * Catches up with what old programs wrote, inside a write transaction: their models get a checksum and
 * stand in the search index, their events get a checksum. Nothing of it is a change of its own.
 */
export function settleUnseen(connection: Database.Database): void {
  const unseen = connection
    .prepare<[], { event_id: number; model_seq: number }>("SELECT event_id, model_seq FROM model_unseen")
    .all();
  const model = connection.prepare<[number], ModelRow>("SELECT * FROM model WHERE seq = ?");
  const sealModel = connection.prepare("UPDATE model SET row_checksum = ? WHERE seq = ?");
  // A number that a deleted model left may be another's by now.
  const forget = connection.prepare("DELETE FROM model_search WHERE rowid = ?");
  const index = connection.prepare(
    "INSERT INTO model_search (rowid, text) SELECT seq, text FROM model_search_text WHERE seq = ?",
  );
  for (const seq of new Set(unseen.map(({ model_seq }) => model_seq))) {
    forget.run(seq);
    const row = model.get(seq);
    if (row === undefined) continue;
    // One that there is tells of damage, and is not made again.
    if (row.row_checksum === "") sealModel.run(modelChecksum(row), seq);
    index.run(seq);
  }
  const event = connection.prepare<[number], EventTable>("SELECT * FROM model_event WHERE event_id = ?");
  const sealEvent = connection.prepare("UPDATE model_event SET row_checksum = ? WHERE event_id = ?");
  for (const { event_id } of unseen) {
    const row = event.get(event_id);
    if (row?.row_checksum === "") sealEvent.run(eventChecksum(row), event_id);
  }
  connection.exec("DELETE FROM model_unseen");
}
