import Database from "better-sqlite3";

import type { Told } from "./told.ts";

interface EventRow {
  readonly event_id: number;
  readonly model_id: string;
  readonly kind: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** What became of the changes of old programs. */
export interface OldChanges {
  /** They were told that it is done, and the history has it. */
  done: number;
  /** They were told that it failed, and it did: by SQLite's message. */
  failed: Record<string, number>;
  /** They were killed before they were told anything. */
  unknown: number;
  /** Done, and undone by another of them that wrote back a row that it had read before. */
  overwritten: number;
  /** Told done, of a model that ours deleted between their look whether it is there and their write: that changed nothing. */
  overtaken: number;
}

// From the time in a deletion's event to its commit, with waiting for others.
const COMMIT_MS = 5000;
const FIELDS = { branch_name: "branch", engine: "engine" } as const;

/**
 * Compares what old programs were told with the history: a change that is done is there, one that
 * failed is not. A write that finds no row any more is done to them, as to the original. What they undo
 * among themselves, writing whole rows, is counted and no problem.
 */
export function checkTold(
  location: string,
  all: readonly Told[],
): { changes: OldChanges; problems: string[] } {
  const problems: string[] = [];
  const changes: OldChanges = { done: 0, failed: {}, unknown: 0, overwritten: 0, overtaken: 0 };
  const connection = new Database(location, { readonly: true });
  const events = connection
    .prepare<[], EventRow>(
      "SELECT event_id, model_id, kind, before, after FROM model_event WHERE actor = 'legacy' ORDER BY event_id",
    )
    .all();
  const deletions = connection
    .prepare<[], { readonly model_id: string; readonly at: number }>(
      "SELECT model_id, at FROM model_event WHERE kind = 'deleted' AND actor <> 'legacy'",
    )
    .all();
  connection.close();
  const wasDeleted = (modelId: string, beganAt: number, doneAt: number): boolean =>
    deletions.some(({ model_id, at }) => model_id === modelId && at >= beganAt - COMMIT_MS && at <= doneAt);
  const byMark = new Map<string, number>();
  const deleted = new Set<string>();
  for (const [index, { model_id, kind, after }] of events.entries()) {
    if (kind === "deleted") deleted.add(model_id);
    if (after === null) continue;
    const { branch, engine } = JSON.parse(after) as { branch?: string; engine?: string };
    for (const value of [branch, engine]) {
      if (typeof value === "string" && !byMark.has(`${model_id} ${value}`))
        byMark.set(`${model_id} ${value}`, index);
    }
  }
  for (const { modelId, kind, column, mark, beganAt, outcome } of all) {
    const found = byMark.get(`${modelId} ${mark}`);
    const isThere = kind === "delete" ? deleted.has(modelId) : found !== undefined;
    if (outcome === undefined) changes.unknown++;
    else if ("failed" in outcome) {
      const message = /(?:database is locked|[^:(]+)/.exec(outcome.failed)![0].trim();
      const reason = outcome.failed.includes("database is locked") ? "database is locked" : message;
      changes.failed[reason] = (changes.failed[reason] ?? 0) + 1;
      if (isThere) problems.push(`${mark}: ${kind} of ${modelId} was told to fail, and is there`);
    } else if (!isThere && kind === "update" && wasDeleted(modelId, beganAt, outcome.doneAt))
      changes.overtaken++;
    else if (!isThere) problems.push(`lost: ${mark}, ${kind} of ${modelId}`);
    else {
      changes.done++;
      if (found !== undefined && isUndone(events, found, FIELDS[column])) changes.overwritten++;
    }
  }
  return { changes, problems };
}

// The next change of the field puts back what it was before.
function isUndone(events: readonly EventRow[], index: number, field: "branch" | "engine"): boolean {
  const event = events[index]!;
  if (event.before === null) return false;
  const was = (JSON.parse(event.before) as Record<string, unknown>)[field];
  for (const later of events.slice(index + 1)) {
    if (later.model_id !== event.model_id || later.after === null) continue;
    const after = JSON.parse(later.after) as Record<string, unknown>;
    if (field in after) return after[field] === was;
  }
  return false;
}
