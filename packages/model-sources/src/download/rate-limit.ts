import { wait } from "../hub/wait.ts";

const BURST_MS = 250;

/**
 * How fast bytes may come in, over all that share it: connections, files, pulls. A token bucket, kept as
 * the moment at which it is full again.
 */
export class RateLimit {
  readonly #bytesPerMs: number;
  #fullAt = 0;

  /** @param bytesPerSecond more than 0. */
  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  /** Waits until so many bytes more may have come in; whoever asks first is first. */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    const now = performance.now();
    this.#fullAt = Math.max(this.#fullAt, now) + bytes / this.#bytesPerMs;
    const waitMs = this.#fullAt - now - BURST_MS;
    if (waitMs > 0) await wait(waitMs, signal);
  }
}
