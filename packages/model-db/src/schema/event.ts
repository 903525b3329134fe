import type { EventKind, ModelEvent } from "../domain/event.ts";
import type { JsonObject } from "../domain/model.ts";
import { fromOriginRecord, toOriginRecord } from "../domain/record.ts";
import { RegistryError } from "../errors.ts";
import { rowChecksum } from "./row-checksum.ts";

/** The row of `model_event`. */
export interface EventTable {
  event_id: number;
  model_id: string;
  kind: EventKind;
  actor: string;
  at: number;
  row_version: number;
  before: string | null;
  after: string | null;
  row_checksum: string;
  /** JSON: object. */
  origin: string | null;
}

export function toModelEvent(row: EventTable): ModelEvent {
  try {
    return read(row);
  } catch (error) {
    throw new RegistryError("database_damaged", `Event ${row.event_id} of the history is damaged.`, {
      cause: error,
    });
  }
}

function read(row: EventTable): ModelEvent {
  return {
    eventId: row.event_id,
    modelId: row.model_id,
    kind: row.kind,
    actor: row.actor,
    at: row.at,
    rowVersion: row.row_version,
    before: row.before === null ? null : (JSON.parse(row.before) as JsonObject),
    after: row.after === null ? null : (JSON.parse(row.after) as JsonObject),
    // The rows of an older schema do not have the column.
    origin: row.origin ? fromOriginRecord(JSON.parse(row.origin) as JsonObject) : null,
  };
}

/** The stored row of an event, with its checksum. */
export function toEventRow(event: ModelEvent): EventTable {
  const { eventId, modelId, kind, actor, at, rowVersion } = event;
  const row: EventTable = {
    event_id: eventId,
    model_id: modelId,
    kind,
    actor,
    at,
    row_version: rowVersion,
    before: event.before && JSON.stringify(event.before),
    after: event.after && JSON.stringify(event.after),
    row_checksum: "",
    origin: event.origin && JSON.stringify(toOriginRecord(event.origin)),
  };
  row.row_checksum = eventChecksum(row);
  return row;
}

/** The checksum that belongs to a stored event. */
export function eventChecksum(row: EventTable): string {
  const { event_id, model_id, kind, actor, at, row_version, before, after, origin } = row;
  const values: (string | number | null)[] = [
    event_id,
    model_id,
    kind,
    actor,
    at,
    row_version,
    before,
    after,
  ];
  // As in a model's: a column that came later counts only where it says something.
  if (origin) values.push(origin);
  return rowChecksum(values);
}
