import type { RawBuilder, SqlBool } from "kysely";

import type { MachineTime } from "../database/machine-time.ts";
import type { QueryContext } from "../database/query.ts";

/** A moment, as the parameters of a query that asks what holds then. */
export type Moment = { boot: string; tick: number };

export function momentOf({ bootId, tick }: MachineTime): Moment {
  return { boot: bootId, tick };
}

/** Whether a lease, a row of `model_run`, holds: the machine is the same since it was given, and its time is not over. */
export function leaseHolds({ sql, p }: Pick<QueryContext<Moment>, "sql" | "p">): RawBuilder<SqlBool> {
  return sql<SqlBool>`(model_run.boot_id = ${p("boot")} and ${p("tick")} between model_run.renewed_tick_ms and model_run.expires_tick_ms)`;
}
