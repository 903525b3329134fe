import type { MachineTime } from "../database/machine-time.ts";

/**
 * What a lease is judged by: it holds while the machine has not restarted since it was given (`boot_id`) and the
 * machine's own monotonic clock is within both ticks, in milliseconds. No wall clock decides.
 */
export interface LeaseColumns {
  boot_id: string;
  renewed_tick_ms: number;
  expires_tick_ms: number;
}

/** A lease that nobody has. */
export const NO_LEASE: LeaseColumns = { boot_id: "", renewed_tick_ms: 0, expires_tick_ms: -1 };

/** A lease of some milliseconds, from now. */
export function leaseFor(ttlMs: number, { bootId, tick }: MachineTime): LeaseColumns {
  return { boot_id: bootId, renewed_tick_ms: tick, expires_tick_ms: tick + ttlMs };
}

/** Whether the lease of a row at hand holds; `leaseHolds` says the same in SQL. */
export function isHeld(row: LeaseColumns, { bootId, tick }: MachineTime): boolean {
  return row.boot_id === bootId && tick >= row.renewed_tick_ms && tick <= row.expires_tick_ms;
}
