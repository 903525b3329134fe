import { setTimeout as sleep } from "node:timers/promises";

import type { Transfer } from "@cortex/model-db";

/** How to follow a transfer. */
export interface FollowOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** After how much silence the same state is given again, in milliseconds. */
  readonly repeatMs: number;
}

const LOOK_MS = 250;

/**
 * The states of a transfer as they come, the present one first, until it is done, failed or cancelled.
 *
 * @param read reads it; what it throws ends this.
 * @returns each with whether anything has changed since the one before.
 */
export async function* transferStates(
  read: () => Promise<Transfer>,
  { signal, repeatMs }: FollowOptions,
): AsyncGenerator<{ transfer: Transfer; isNews: boolean }, undefined> {
  let last: Transfer | undefined;
  let givenAt = 0;
  while (!signal.aborted) {
    const transfer = await read();
    const isNews =
      last === undefined ||
      transfer.updatedAt !== last.updatedAt ||
      transfer.state !== last.state ||
      transfer.doneBytes !== last.doneBytes;
    if (isNews || performance.now() - givenAt >= repeatMs) {
      givenAt = performance.now();
      yield { transfer, isNews };
    }
    if (["done", "failed", "cancelled"].includes(transfer.state)) return;
    last = transfer;
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}
