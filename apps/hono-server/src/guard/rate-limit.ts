/** How often somebody may ask: on average, and at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Whether a request is within the rate, and what is left. */
export interface Allowance {
  readonly isAllowed: boolean;
  /** How many more requests may come at once. */
  readonly remaining: number;
  /** Until the next one may come (where this one may not), or until all may. */
  readonly waitMs: number;
}

const MAX_KEYS = 10_000;
const SWEEP_EVERY_MS = 1000;

/**
 * A token bucket for each key: the generic cell rate algorithm (ITU-T I.371), which needs one number for
 * each, the time at which the bucket is full again. A full bucket is forgotten; beyond 10,000 that are not,
 * the one that began first is, so that nobody can fill the memory.
 */
export class RateLimit {
  readonly #intervalMs: number;
  readonly #burstMs: number;
  readonly #fullAt = new Map<string, number>();
  #sweptAt = 0;

  constructor({ perSecond, burst }: Rate) {
    this.#intervalMs = 1000 / perSecond;
    this.#burstMs = burst * this.#intervalMs;
  }

  /** @param nowMs a monotonic time in milliseconds. */
  take(key: string, nowMs: number): Allowance {
    const known = this.#fullAt.get(key);
    const fullAt = Math.max(known ?? 0, nowMs) + this.#intervalMs;
    const overMs = fullAt - nowMs - this.#burstMs;
    // What floating point adds is not what a client did.
    if (overMs > 1e-6) return { isAllowed: false, remaining: 0, waitMs: overMs };
    if (known === undefined) this.#makeRoom(nowMs);
    this.#fullAt.set(key, fullAt);
    return {
      isAllowed: true,
      remaining: Math.floor(-overMs / this.#intervalMs + 1e-6),
      waitMs: fullAt - nowMs,
    };
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#fullAt.size;
  }

  #makeRoom(nowMs: number): void {
    if (this.#fullAt.size < MAX_KEYS) return;
    if (nowMs - this.#sweptAt >= SWEEP_EVERY_MS) {
      this.#sweptAt = nowMs;
      for (const [key, fullAt] of this.#fullAt) if (fullAt <= nowMs) this.#fullAt.delete(key);
    }
    if (this.#fullAt.size < MAX_KEYS) return;
    const [first] = this.#fullAt.keys();
    this.#fullAt.delete(first!);
  }
}
