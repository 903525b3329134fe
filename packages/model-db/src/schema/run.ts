import type { MachineTime } from "../database/machine-time.ts";
import type { Run } from "../domain/run.ts";
import type { LeaseColumns } from "./lease.ts";

/** The row of `model_run`. */
export interface RunTable extends LeaseColumns {
  token: number;
  model_id: string;
  holder: string;
  node: string;
  pid: number | null;
  endpoint: string | null;
  started_at: number;
  ttl_ms: number;
  /** By the wall clock, for people; the ticks decide. */
  renewed_at: number;
}

/**
 * Until when a lease held or holds, in Unix milliseconds by the wall clock of now.
 */
export function heldUntil(row: RunTable, now: MachineTime): number {
  const said = row.renewed_at + row.ttl_ms;
  if (row.boot_id !== now.bootId) return said;
  // What the clocks say differs by the milliseconds between reading them, unless the wall clock was set.
  const meant = Date.now() + (row.expires_tick_ms - now.tick);
  return Math.abs(meant - said) < 1000 ? said : meant;
}

/** The lease that a row holds, as seen at `now`. */
export function toRun(row: RunTable, now: MachineTime): Run {
  return {
    token: row.token,
    modelId: row.model_id,
    holder: row.holder,
    node: row.node,
    pid: row.pid,
    endpoint: row.endpoint,
    startedAt: row.started_at,
    expiresAt: heldUntil(row, now),
    ttlMs: row.ttl_ms,
  };
}
