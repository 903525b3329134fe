import type Database from "better-sqlite3";

import type { ModelEvent } from "../../domain/event.ts";
import { shown } from "../../domain/input.ts";
import { foldEvent, toPastModel, type PastState } from "../../domain/past-state.ts";
import { toModelEvent, type EventTable } from "../../schema/event.ts";
import { toModelFile, type FileTable } from "../../schema/file.ts";
import { toUnsignedValues, type ModelRow, type ModelValues } from "../../schema/model.ts";
import { finding, type Finding, type Look } from "../findings.ts";
import { notedRepairs, unexplainedGaps, type NotedRepairs } from "../noted-repairs.ts";

const BATCH = 1000;

/** Whether the history is without gaps, but for those that a repair has noted. */
export function* checkEventIds(connection: Database.Database): Generator<Look, undefined> {
  for (const { before, eventId } of unexplainedGaps(connection)) {
    const missing =
      before + 1 === eventId - 1
        ? `Event ${before + 1} of the history is`
        : `Events ${before + 1} to ${eventId - 1} of the history are`;
    yield finding("history_gap", `event ${before + 1}`, `${missing} missing.`);
  }
}

/** Whether what happened to each model leads to what it is now; one model at a time is held in memory. */
export function* checkHistory(connection: Database.Database): Generator<Look, undefined> {
  const page = connection.prepare<[string, number, number], EventTable>(
    "SELECT * FROM model_event_by_model WHERE (model_id, event_id) > (?, ?) ORDER BY model_id, event_id LIMIT ?",
  );
  const repairs = notedRepairs(connection);
  const compare = comparison(connection, repairs);
  let story: Story | undefined;
  for (let [modelId, eventId] = ["", 0]; ;) {
    const rows = page.all(modelId, eventId, BATCH);
    for (const row of rows) {
      if (story?.modelId !== row.model_id) {
        if (story !== undefined) yield* compare(story);
        story = { modelId: row.model_id, state: undefined, known: false, rowVersion: 0, eventId: 0 };
      }
      yield* tell(story, row, repairs);
    }
    yield rows.length;
    if (rows.length < BATCH) break;
    ({ model_id: modelId, event_id: eventId } = rows.at(-1)!);
  }
  if (story !== undefined) yield* compare(story);
  const silent = connection
    .prepare(
      "SELECT model_id FROM model WHERE NOT EXISTS (SELECT 1 FROM model_event_by_model AS event WHERE event.model_id = model.model_id) LIMIT 1000",
    )
    .pluck()
    .all() as string[];
  for (const modelId of silent) yield unknown(modelId);
}

interface Story {
  readonly modelId: string;
  state: PastState | undefined;
  /** Whether its beginning was told. */
  known: boolean;
  rowVersion: number;
  eventId: number;
}

function* tell(story: Story, row: EventTable, { missed }: NotedRepairs): Generator<Finding, undefined> {
  let event: ModelEvent;
  try {
    event = toModelEvent(row);
    story.state = foldEvent(story.state, event);
  } catch {
    // Its checksum tells of it.
    story.known = false;
    return;
  }
  const { modelId, kind, rowVersion, eventId } = event;
  if (kind === "created") story.known = true;
  const due = kind === "created" ? 1 : story.rowVersion + (kind === "deleted" ? 0 : 1);
  if (story.known && rowVersion !== due && missed(story.eventId, eventId)) {
    story.known = false;
  } else if (story.known && rowVersion !== due) {
    const message = `Event ${eventId} makes ${shown(modelId)} version ${rowVersion}, and the one before it led to ${due}.`;
    yield finding("history_gap", modelId, message);
  }
  story.rowVersion = rowVersion;
  story.eventId = eventId;
}

function comparison(
  connection: Database.Database,
  { missed, lost }: NotedRepairs,
): (story: Story) => Generator<Finding> {
  const model = connection.prepare<[string], ModelRow>("SELECT * FROM model WHERE model_id = ?");
  const files = connection.prepare<[string], FileTable>(
    "SELECT * FROM model_file WHERE model_id = ? ORDER BY path",
  );
  return function* compare({ modelId, state, known, rowVersion, eventId }) {
    const row = model.get(modelId);
    if (row === undefined && lost(modelId, eventId)) return;
    const grown = row !== undefined && row.row_version > rowVersion && missed(eventId, Infinity);
    if (!known || grown) {
      if (row !== undefined) yield unknown(modelId);
      return;
    }
    const name = shown(modelId);
    if (state === undefined || row === undefined) {
      if (state === undefined && row !== undefined)
        yield finding(
          "history_differs",
          modelId,
          `${name} is there, and its history says that it was deleted.`,
        );
      if (state !== undefined && row === undefined)
        yield finding(
          "history_differs",
          modelId,
          `${name} is not there, and its history knows of no deletion.`,
        );
      return;
    }
    const past = toPastModel(state);
    const fields = differing(toUnsignedValues(past.model), row);
    if (JSON.stringify(past.files) !== JSON.stringify(files.all(modelId).map(toModelFile)))
      fields.push("files");
    if (fields.length === 0) return;
    const message = `${name} is not what its history leads to: ${fields.join(", ")}.`;
    yield finding("history_differs", modelId, message);
  };
}

function unknown(modelId: string): Finding {
  return finding(
    "history_unknown",
    modelId,
    `The history does not know all that happened to ${shown(modelId)}.`,
  );
}

function differing(past: ModelValues, row: ModelRow): string[] {
  return Object.entries(past).flatMap(([name, value]) =>
    name === "row_checksum" || value === row[name as keyof ModelRow] ? [] : [name],
  );
}
