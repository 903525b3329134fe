/** A lease on a running model: who runs it, where, and until when the claim holds. */
export interface Run {
  /** The fencing token: larger than that of every earlier lease of this registry. */
  readonly token: number;
  readonly modelId: string;
  readonly holder: string;
  /** The machine's name. */
  readonly node: string;
  readonly pid: number | null;
  readonly endpoint: string | null;
  /** Unix milliseconds. */
  readonly startedAt: number;
  /** Unix milliseconds: now, plus what is left on the machine's monotonic clock. */
  readonly expiresAt: number;
  readonly ttlMs: number;
}

export interface NewRun {
  /** A name for whoever runs the model, e.g. `cortex-server`. */
  holder: string;
  /** This machine's host name. */
  node?: string | undefined;
  /** The process that runs it: this one when left out, `null` for none. Two processes never share a lease. */
  pid?: number | null | undefined;
  /** Where it answers; a renewal without one keeps what there is. */
  endpoint?: string | null | undefined;
  /** How long the claim holds unless renewed: 1,000 to 2,592,000,000 ms (30 days); 30,000 when left out. */
  ttlMs?: number | undefined;
  /** Share a model that others run already instead of being refused. */
  join?: boolean | undefined;
}
