import { setTimeout as sleep } from "node:timers/promises";

import { isRegistryError, type Registry, type Transfer } from "@cortex/model-db";

import { runTransfer, type WorkOptions } from "./run-transfer.ts";

export interface WorkerOptions extends Pick<WorkOptions, "hub" | "connections" | "rateLimit"> {
  /** How many transfers are worked on at a time, from 1. */
  readonly concurrency: number;
  /** Told of each transfer that has ended or rests. */
  readonly onEnd?: ((transfer: Transfer) => void) | undefined;
  /** Told of what nobody expected; the worker goes on. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

// Others ask for transfers too, and leave some behind when they end.
const LOOK_MS = 1000;

/** Does the work of whatever is queued, until it is ended. */
export class TransferWorker {
  readonly #registry: Registry;
  readonly #options: WorkerOptions;
  readonly #ending = new AbortController();
  readonly #lanes: Promise<void>[];
  #waiting = new AbortController();

  constructor(registry: Registry, options: WorkerOptions) {
    this.#registry = registry;
    this.#options = options;
    this.#lanes = Array.from({ length: options.concurrency }, () => this.#work());
  }

  /** Looks at once whether there is something to do. */
  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = new AbortController();
    waiting.abort();
  }

  /** Stops; what is under way goes back into the queue, and whoever takes it up goes on where it was. */
  async end(): Promise<void> {
    this.#ending.abort();
    this.wake();
    await Promise.all(this.#lanes);
  }

  async #work(): Promise<void> {
    const { signal } = this.#ending;
    const { hub, connections, rateLimit, onEnd, onError } = this.#options;
    while (!signal.aborted) {
      try {
        const claimed = await this.#registry.transferWork.claim();
        if (claimed !== undefined) {
          const ended = await runTransfer(this.#registry, claimed, { hub, connections, rateLimit, signal });
          onEnd?.(ended);
          continue;
        }
      } catch (error) {
        if (isRegistryError(error) && error.code === "registry_closed") return;
        onError?.(error);
      }
      await sleep(LOOK_MS, undefined, { signal: this.#waiting.signal }).catch(() => undefined);
    }
  }
}
