import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";

import type { GuardedRegistry, Registry } from "@cortex/model-db";

import { EventSubjects } from "./event-subjects.ts";
import { RecentEvents, type RecentEvent, type RecentLimits } from "./recent-events.ts";

/** Somebody who follows the events. */
export interface Listener {
  /** The last event it has taken or passed over, once it reads as things happen. */
  readonly livePosition: number | undefined;
  /** There is something new. */
  wake(): void;
  /** Looks whether it may still listen. */
  check(): Promise<void>;
  /** There will be nothing more; it tells its client why. */
  end(reason: string): void;
}

/** How the hub of a service behaves. */
export interface HubOptions extends RecentLimits {
  /** Ends every stream, and takes no further listeners. */
  readonly signal: AbortSignal | undefined;
  /** Is told of each event that was read, when it happened: Unix milliseconds. */
  readonly onEvent: (at: number) => void;
}

// The event loop has a turn after so many, so that listeners get what was read.
const BATCH = 256;
// How long the reading waits for those who would be cut off; then it goes on without them.
const PATIENCE_MS = 500;
const LOOK_MS = 5;
// How long whoever lost the right to listen goes on at most.
const CHECK_MS = 1000;

/**
 * The one reader of a registry's events, for as long as anybody listens. What it has read is in one buffer
 * that all listeners take from, each at its own pace: none of them costs a query or a copy of its own.
 */
export class EventHub {
  readonly #registry: Registry;
  readonly #options: HubOptions;
  readonly #listeners = new Set<Listener>();
  readonly #subjects: EventSubjects;
  #recent: Promise<RecentEvents> | undefined;
  #current: RecentEvents | undefined;
  #reading = new AbortController();
  #isWaking = false;

  constructor(registry: Registry, options: HubOptions) {
    this.#registry = registry;
    this.#options = options;
    this.#subjects = new EventSubjects(registry);
    options.signal?.addEventListener("abort", () => this.#end("the server is closing"), { once: true });
  }

  /** Whether it takes no listeners any more. */
  get isClosed(): boolean {
    return this.#options.signal?.aborted ?? false;
  }

  /** How many listen. */
  get size(): number {
    return this.#listeners.size;
  }

  /** The newest event that was read; `undefined` while nobody listens. */
  get head(): number | undefined {
    return this.#current?.head;
  }

  /**
   * Takes a listener in; the first has the reading begin.
   *
   * @throws RegistryError as any read.
   */
  async join(listener: Listener): Promise<RecentEvents> {
    this.#listeners.add(listener);
    this.#recent ??= this.#begin();
    try {
      return await this.#recent;
    } catch (error) {
      this.leave(listener);
      throw error;
    }
  }

  /** Lets a listener go; the last has the reading end. */
  leave(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#reading.abort();
    this.#recent = undefined;
    this.#current = undefined;
  }

  /** Whether a caller sees an event: by what its model is now, as everywhere. */
  async sees(caller: GuardedRegistry, event: RecentEvent): Promise<boolean> {
    const subject = await this.#subjects.of(event);
    return subject !== undefined && caller.rightsOn(subject).length > 0;
  }

  async #begin(): Promise<RecentEvents> {
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    const checking = setInterval(() => this.#check(), CHECK_MS).unref();
    signal.addEventListener("abort", () => clearInterval(checking), { once: true });
    const recent = new RecentEvents(await this.#registry.history.latestEventId(), this.#options);
    if (!signal.aborted) this.#current = recent;
    void this.#readUntilEnded(recent, signal);
    return recent;
  }

  // Listeners are told of a failure; when they come back they see it.
  async #readUntilEnded(recent: RecentEvents, signal: AbortSignal): Promise<void> {
    let reason = "the registry was closed";
    try {
      await this.#read(recent, signal);
    } catch {
      reason = "the registry cannot be read now";
    }
    if (!signal.aborted) this.#end(reason);
  }

  async #read(recent: RecentEvents, signal: AbortSignal): Promise<void> {
    let count = 0;
    for await (const event of this.#registry.watch({ after: recent.head, signal })) {
      while (recent.isFull) {
        await this.#waitForSlow(recent);
        recent.makeRoom();
      }
      recent.append(event);
      this.#subjects.forget();
      this.#options.onEvent(event.at);
      this.#wakeSoon();
      if (++count % BATCH === 0) await turn();
    }
  }

  // A burst alone cuts nobody off who takes what there is.
  async #waitForSlow(recent: RecentEvents): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    const { base, nextBase } = recent;
    const needsOldest = ({ livePosition }: Listener): boolean =>
      livePosition !== undefined && livePosition >= base && livePosition < nextBase;
    while (performance.now() < deadline && [...this.#listeners].some(needsOldest)) await sleep(LOOK_MS);
  }

  #wakeSoon(): void {
    if (this.#isWaking) return;
    this.#isWaking = true;
    setImmediate(() => {
      this.#isWaking = false;
      for (const listener of this.#listeners) listener.wake();
    });
  }

  #check(): void {
    for (const listener of this.#listeners) void listener.check();
  }

  #end(reason: string): void {
    for (const listener of this.#listeners) {
      this.leave(listener);
      listener.end(reason);
    }
  }
}
