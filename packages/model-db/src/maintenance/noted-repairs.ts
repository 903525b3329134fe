import type Database from "better-sqlite3";

import { toModelEvent, type EventTable } from "../schema/event.ts";
import type { EventRange } from "./assembly-report.ts";
import { lostBefore, missedBefore } from "./repaired-event.ts";

/** What the repairs that the history tells of could not bring back. */
export interface NotedRepairs {
  /** Whether every event between two, both left out, was missing then. */
  readonly covers: (before: number, after: number) => boolean;
  /** Whether any event between two was. */
  readonly missed: (before: number, after: number) => boolean;
  /** Whether a model was lost after an event of its. */
  readonly lost: (modelId: string, eventId: number) => boolean;
}

/** The repairs that a registry's history tells of. */
export function notedRepairs(connection: Database.Database): NotedRepairs {
  const rows = connection
    .prepare<[], EventTable>("SELECT * FROM model_event WHERE kind = 'repaired' ORDER BY event_id")
    .all();
  const repairs = rows.map(toModelEvent);
  const ranges = joined(repairs.flatMap(missedBefore));
  const lostAt = new Map(repairs.flatMap((event) => lostBefore(event).map((id) => [id, event.eventId])));
  return {
    covers: (before, after) => ranges.some(([first, last]) => first <= before + 1 && last >= after - 1),
    missed: (before, after) => ranges.some(([first, last]) => first < after && last > before),
    lost: (modelId, eventId) => (lostAt.get(modelId) ?? 0) > eventId,
  };
}

/**
 * Where ids are missing from the history that no repair has noted, 1,000 places at most.
 *
 * @param since only behind this event.
 */
export function* unexplainedGaps(
  connection: Database.Database,
  since = 0,
): Generator<{ before: number; eventId: number }, undefined> {
  const gaps = connection
    .prepare<object, { eventId: number; before: number }>(
      `SELECT event_id AS eventId, before FROM
         (SELECT event_id, lag(event_id, 1, @since) OVER (ORDER BY event_id) AS before
          FROM model_event WHERE event_id > @since)
       WHERE event_id <> before + 1 LIMIT 1000`,
    )
    .all({ since });
  if (gaps.length === 0) return;
  const { covers } = notedRepairs(connection);
  for (const gap of gaps) if (!covers(gap.before, gap.eventId)) yield gap;
}

function joined(ranges: readonly EventRange[]): EventRange[] {
  const all: [number, number][] = [];
  for (const [first, last] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const end = all.at(-1);
    if (end !== undefined && first <= end[1] + 1) end[1] = Math.max(end[1], last);
    else all.push([first, last]);
  }
  return all;
}
