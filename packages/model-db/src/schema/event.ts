import type { Generated } from "kysely";

import type { EventKind, ModelEvent } from "../domain/event.ts";
import type { JsonObject } from "../domain/model.ts";
import { RegistryError } from "../errors.ts";
import { rowChecksum } from "./row-checksum.ts";

/** The row of `model_event`. */
export interface EventTable {
  event_id: Generated<number>;
  model_id: string;
  kind: EventKind;
  actor: string;
  at: number;
  row_version: number;
  before: string | null;
  after: string | null;
  row_checksum: string;
}
export type EventRow = Omit<EventTable, "event_id"> & { event_id: number };
export type EventValues = Omit<EventTable, "event_id">;

export function toModelEvent(row: EventRow): ModelEvent {
  try {
    return read(row);
  } catch (error) {
    throw new RegistryError("database_damaged", `Event ${row.event_id} of the history is damaged.`, {
      cause: error,
    });
  }
}

function read(row: EventRow): ModelEvent {
  return {
    eventId: row.event_id,
    modelId: row.model_id,
    kind: row.kind,
    actor: row.actor,
    at: row.at,
    rowVersion: row.row_version,
    before: row.before === null ? null : (JSON.parse(row.before) as JsonObject),
    after: row.after === null ? null : (JSON.parse(row.after) as JsonObject),
  };
}

export function toEventValues(event: Omit<ModelEvent, "eventId">): EventValues {
  const { modelId, kind, actor, at, rowVersion } = event;
  const before = event.before && JSON.stringify(event.before);
  const after = event.after && JSON.stringify(event.after);
  return {
    model_id: modelId,
    kind,
    actor,
    at,
    row_version: rowVersion,
    before,
    after,
    row_checksum: rowChecksum([modelId, kind, actor, at, rowVersion, before, after]),
  };
}
