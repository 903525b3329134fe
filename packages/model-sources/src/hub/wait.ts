import { setTimeout as sleep } from "node:timers/promises";

/** Waits. @throws the signal's own reason, once it is aborted. */
export async function wait(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
