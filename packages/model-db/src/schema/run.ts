import type { MachineTime } from "../database/machine-time.ts";
import type { Run } from "../domain/run.ts";

/** The row of `model_run`. */
export interface RunTable {
  token: number;
  model_id: string;
  holder: string;
  node: string;
  pid: number | null;
  endpoint: string | null;
  started_at: number;
  ttl_ms: number;
  boot_id: string;
  renewed_tick: number;
  expires_tick: number;
}

/**
 * Until when a lease held or holds, in Unix milliseconds. What it was renewed to before the machine
 * restarted is not known: then the time that it was first given counts.
 */
export function heldUntil(row: RunTable, now: MachineTime): number {
  if (row.boot_id !== now.bootId) return row.started_at + row.ttl_ms;
  return Date.now() + (row.expires_tick - now.tick);
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
