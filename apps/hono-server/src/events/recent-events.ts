import type { ModelEvent } from "@cortex/model-db";

import { toFrame } from "./event-frame.ts";

/** What decides who gets an event, and what is sent of it: encoded once, however many listen. */
export interface RecentEvent extends Pick<ModelEvent, "eventId" | "modelId" | "kind" | "actor"> {
  readonly frame: Uint8Array;
}

/** How much of the newest history is held for those who read it as it happens. */
export interface RecentLimits {
  /** 1 or more. */
  readonly events: number;
  readonly bytes: number;
}

/**
 * The newest events, all that there are after {@link base}: one buffer for all listeners, each of which is
 * only a place in it. Whoever is still before `base` has lost the connection to it.
 */
export class RecentEvents {
  readonly #limits: RecentLimits;
  readonly #events: RecentEvent[] = [];
  #bytes = 0;
  #base: number;
  #head: number;

  /** @param head the id of the newest event that is not held. */
  constructor(head: number, limits: RecentLimits) {
    this.#limits = limits;
    this.#base = head;
    this.#head = head;
  }

  /** Every event after this one is held. */
  get base(): number {
    return this.#base;
  }

  /** The newest event that has been read. */
  get head(): number {
    return this.#head;
  }

  /** Whether another event has no room until the oldest makes place. */
  get isFull(): boolean {
    return this.#events.length >= this.#limits.events || this.#bytes >= this.#limits.bytes;
  }

  /** How far {@link base} goes up when the oldest eighth makes place. */
  get nextBase(): number {
    return this.#events[this.#eighth() - 1]?.eventId ?? this.#base;
  }

  append(event: ModelEvent): void {
    const { eventId, modelId, kind, actor } = event;
    const frame = toFrame(event);
    this.#events.push({ eventId, modelId, kind, actor, frame });
    this.#bytes += frame.byteLength;
    this.#head = eventId;
  }

  /** Lets the oldest eighth go. */
  makeRoom(): void {
    const gone = this.#events.splice(0, this.#eighth());
    for (const { frame } of gone) this.#bytes -= frame.byteLength;
    this.#base = gone.at(-1)?.eventId ?? this.#base;
  }

  /** The events after one that is not before {@link base}, oldest first, and at most so many. */
  after(eventId: number, limit: number): RecentEvent[] {
    const index = this.#indexAfter(eventId);
    return this.#events.slice(index, index + limit);
  }

  #eighth(): number {
    return Math.ceil(this.#events.length / 8);
  }

  #indexAfter(eventId: number): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.eventId > eventId) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
