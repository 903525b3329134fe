import Database from "better-sqlite3";

import { readContent } from "../registry-content.ts";
import type { AcknowledgedChange } from "./acknowledged.ts";

interface EventRow {
  readonly event_id: number;
  readonly model_id: string;
  readonly kind: string;
  readonly row_version: number;
}

/**
 * What is wrong with a registry: an acknowledged change that is not in its history, a gap in the
 * history, a model that is not what its history says, a name that means two models or none.
 */
export function checkHistory(location: string, acknowledged: Iterable<AcknowledgedChange>): string[] {
  const problems = [...readContent(location).problems];
  const connection = new Database(location, { readonly: true });
  const last = new Map<string, EventRow>();
  const done = new Set<string>();
  const events = connection
    .prepare<[], EventRow>("SELECT event_id, model_id, kind, row_version FROM model_event ORDER BY event_id")
    .all();
  for (const [index, event] of events.entries()) {
    if (event.event_id !== index + 1) problems.push(`event ${index + 1} is not there`);
    const before = last.get(event.model_id);
    const expected = expectedVersion(before, event.kind);
    if (event.row_version !== expected) {
      problems.push(`event ${event.event_id} has version ${event.row_version} instead of ${expected}`);
    }
    last.set(event.model_id, event);
    done.add(`${event.model_id} ${event.row_version} ${event.kind === "deleted"}`);
  }
  for (const { modelId, rowVersion, deleted } of acknowledged) {
    if (!done.has(`${modelId} ${rowVersion} ${deleted}`)) {
      problems.push(`lost: ${modelId} version ${rowVersion}${deleted ? ", deleted" : ""}`);
    }
  }
  const models = new Map(
    connection.prepare("SELECT model_id, row_version FROM model").raw().all() as [string, number][],
  );
  for (const { model_id: id, kind, row_version: version } of last.values()) {
    const stored = models.get(id);
    if (stored !== (kind === "deleted" ? undefined : version)) {
      problems.push(`${id} has version ${stored}, its history ends with ${kind} ${version}`);
    }
  }
  problems.push(...badNames(connection));
  connection.close();
  return problems;
}

function expectedVersion(before: EventRow | undefined, kind: string): number {
  if (before === undefined || before.kind === "deleted") return 1;
  return kind === "deleted" ? before.row_version : before.row_version + 1;
}

// Each model's row says what it is called; the table of names must say the same, each name once.
function badNames(connection: Database.Database): string[] {
  const said = connection
    .prepare(
      `SELECT name, seq FROM (
         SELECT model_id AS name, seq FROM model
         UNION SELECT alias, seq FROM model WHERE alias IS NOT NULL
         UNION SELECT value, seq FROM model, json_each(aliases))
       ORDER BY name, seq`,
    )
    .raw()
    .all();
  const guarded = connection
    .prepare("SELECT name, model_seq FROM model_name ORDER BY name, model_seq")
    .raw()
    .all();
  return JSON.stringify(said) === JSON.stringify(guarded)
    ? []
    : ["the names of the models and the table of names differ"];
}
