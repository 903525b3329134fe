import type { MachineTime } from "../database/machine-time.ts";
import { nextTurn } from "../database/next-turn.ts";
import { query, type Query, type Session } from "../database/query.ts";
import type { ModelStatus, SourceType } from "../domain/model.ts";
import { momentOf, type Moment } from "./lease-holds.ts";
import { shownStatus } from "./model-columns.ts";

/** How many models there are of a source and with a status. */
export interface ModelTally {
  readonly sourceType: SourceType;
  readonly status: ModelStatus;
  readonly count: number;
}

interface SliceRow {
  source_type: SourceType;
  status: ModelStatus;
  count: number;
  last: number;
}

// Some milliseconds' worth.
const SLICE = 5000;

const slice: Query<Moment & { after: number }, SliceRow> = query("model tally", (context) => {
  const { db, sql, p } = context;
  const rows = db
    .selectFrom("model")
    .select(["model.seq", "model.source_type", shownStatus(context).as("status")])
    .where("model.seq" as never, ">", p("after") as never)
    .orderBy("model.seq" as never)
    .limit(sql.lit(SLICE) as never)
    .as("slice");
  return db
    .selectFrom(rows)
    .select(["source_type", "status"])
    .select((eb) => [eb.fn.countAll<number>().as("count"), eb.fn.max<number>("seq" as never).as("last")])
    .groupBy(["source_type", "status"]) as never;
});

/**
 * Counts models by source and status, a slice at a time: everybody else has their turn in between, and
 * what they change meanwhile may be counted as it was or as it is.
 */
export async function tallyModels(session: Session, now: MachineTime): Promise<ModelTally[]> {
  const counts = new Map<string, ModelTally>();
  for (let after = 0; ;) {
    const rows = await session.all(slice, { after, ...momentOf(now) });
    let sliced = 0;
    for (const { source_type: sourceType, status, count, last } of rows) {
      const key = `${sourceType} ${status}`;
      counts.set(key, { sourceType, status, count: count + (counts.get(key)?.count ?? 0) });
      after = Math.max(after, last);
      sliced += count;
    }
    if (sliced < SLICE) return [...counts.values()];
    await nextTurn();
  }
}
