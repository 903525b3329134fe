import type { Run } from "@cortex/model-db";

/**
 * The lease that `start` takes and `stop` gives back. Nobody renews it: what runs such a model is not this
 * service, so the claim of who started it ends with `stop`, or after a day.
 */
export const HTTP_LEASE = { holder: "http", pid: null, ttlMs: 24 * 3600 * 1000 } as const;

/** Whether a lease was taken by `start`; wherever that was, as a container that is made anew has another name. */
export function isHttpLease({ holder, pid }: Run): boolean {
  return holder === HTTP_LEASE.holder && pid === HTTP_LEASE.pid;
}
