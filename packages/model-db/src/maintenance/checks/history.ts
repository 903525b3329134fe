import type Database from "better-sqlite3";

import type { ModelEvent } from "../../domain/event.ts";
import { shown } from "../../domain/input.ts";
import { foldEvent, toPastModel, type PastState } from "../../domain/past-state.ts";
import { toModelEvent, type EventTable } from "../../schema/event.ts";
import { toFileRow, type FileTable } from "../../schema/file.ts";
import { toModelValues, type ModelRow, type ModelValues } from "../../schema/model.ts";
import { finding, type Finding, type Look } from "../findings.ts";

const BATCH = 1000;

/** Whether the history is without gaps. */
export function* checkEventIds(connection: Database.Database): Generator<Look, undefined> {
  const gaps = connection
    .prepare<[], { event_id: number; before: number }>(
      `SELECT event_id, before FROM (SELECT event_id, lag(event_id, 1, 0) OVER (ORDER BY event_id) AS before FROM model_event)
       WHERE event_id <> before + 1 LIMIT 1000`,
    )
    .all();
  for (const { event_id, before } of gaps) {
    const missing =
      before + 1 === event_id - 1 ? `Event ${before + 1}` : `Events ${before + 1} to ${event_id - 1}`;
    yield finding("history_gap", `event ${before + 1}`, `${missing} of the history missing.`);
  }
}

/** Whether what happened to each model leads to what it is now; one model at a time is held in memory. */
export function* checkHistory(connection: Database.Database): Generator<Look, undefined> {
  const page = connection.prepare<[string, number, number], EventTable>(
    "SELECT * FROM model_event WHERE (model_id, event_id) > (?, ?) ORDER BY model_id, event_id LIMIT ?",
  );
  const compare = comparison(connection);
  let story: Story | undefined;
  for (let [modelId, eventId] = ["", 0]; ;) {
    const rows = page.all(modelId, eventId, BATCH);
    for (const row of rows) {
      if (story?.modelId !== row.model_id) {
        if (story !== undefined) yield* compare(story);
        story = { modelId: row.model_id, state: undefined, known: false, rowVersion: 0 };
      }
      yield* tell(story, row);
    }
    yield rows.length;
    if (rows.length < BATCH) break;
    ({ model_id: modelId, event_id: eventId } = rows.at(-1)!);
  }
  if (story !== undefined) yield* compare(story);
  const silent = connection
    .prepare(
      "SELECT model_id FROM model WHERE NOT EXISTS (SELECT 1 FROM model_event WHERE model_event.model_id = model.model_id) LIMIT 1000",
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
}

function* tell(story: Story, row: EventTable): Generator<Finding, undefined> {
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
  if (story.known && rowVersion !== due) {
    const message = `Event ${eventId} makes ${shown(modelId)} version ${rowVersion}, and the one before it led to ${due}.`;
    yield finding("history_gap", modelId, message);
  }
  story.rowVersion = rowVersion;
}

function comparison(connection: Database.Database): (story: Story) => Generator<Finding> {
  const model = connection.prepare<[string], ModelRow>("SELECT * FROM model WHERE model_id = ?");
  const files = connection.prepare<[string], FileTable>(
    "SELECT * FROM model_file WHERE model_id = ? ORDER BY path",
  );
  return function* compare({ modelId, state, known }) {
    const row = model.get(modelId);
    if (!known) {
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
    const fields = differing(toModelValues(past.model), row);
    const pastFiles = past.files.map((file) => plain(toFileRow(modelId, file)));
    if (JSON.stringify(pastFiles) !== JSON.stringify(files.all(modelId).map(plain))) fields.push("files");
    if (fields.length === 0) return;
    const message = `${name} is not what its history leads to: ${fields.join(", ")}.`;
    yield finding("history_differs", modelId, message);
  };
}

function unknown(modelId: string): Finding {
  return finding("history_unknown", modelId, `The history does not know how ${shown(modelId)} began.`);
}

function differing(past: ModelValues, row: ModelRow): string[] {
  return Object.entries(past).flatMap(([name, value]) =>
    name === "row_checksum" || value === row[name as keyof ModelRow] ? [] : [name],
  );
}

function plain({ path, role, size_bytes, sha256, verified_at, source }: FileTable): unknown[] {
  return [path, role, size_bytes, sha256, verified_at, source];
}
