import type { RawBuilder, SqlBool } from "kysely";

import type { MachineTime } from "../database/machine-time.ts";
import type { QueryContext } from "../database/query.ts";
import type { LeaseColumns } from "../schema/lease.ts";

/** A moment, as the parameters of a query that asks what holds then. */
export type Moment = { boot: string; tick: number };

export function momentOf({ bootId, tick }: MachineTime): Moment {
  return { boot: bootId, tick };
}

/** The tables whose rows are leases: each has the columns of {@link LeaseColumns}. */
type LeaseTable = "model_run" | "transfer";

/**
 * Whether a row's lease holds, in SQL: the machine is the same since it was given, and its time is not over.
 *
 * @param table whose row it is.
 */
export function leaseHolds(
  { sql, p }: Pick<QueryContext<Moment>, "sql" | "p">,
  table: LeaseTable,
): RawBuilder<SqlBool> {
  const column = (name: keyof LeaseColumns): RawBuilder<unknown> => sql.raw(`${table}.${name}`);
  return sql<SqlBool>`(${column("boot_id")} = ${p("boot")} and ${p("tick")} between ${column("renewed_tick_ms")} and ${column("expires_tick_ms")})`;
}
