import { setImmediate as turn } from "node:timers/promises";

import type { GuardedRegistry } from "@cortex/model-db";

import { wants, type ListenFilter } from "./event-filter.ts";
import { joinFrames, toComment, toFrame } from "./event-frame.ts";
import type { EventHub, Listener } from "./event-hub.ts";
import type { RecentEvents } from "./recent-events.ts";

/** Who listens, from where on, and to what. */
export interface Listening {
  /** What may be seen is what this sees. */
  readonly caller: GuardedRegistry;
  /** Whether that is so still. */
  readonly isAllowed: () => Promise<boolean>;
  readonly filter: ListenFilter;
  /** The last event that the client knows of. */
  readonly after: number;
  /** What is sent first. */
  readonly opening: readonly Uint8Array[];
  /** After how much silence a comment is sent, in milliseconds. */
  readonly heartbeatMs: number;
  /** Ends the connection of a client that takes nothing any more. */
  readonly abandon: () => void;
}

/**
 * The body of an answer that follows the events: first what the history has after `after`, read by pages
 * as fast as the client takes them, then what happens, from the hub's buffer. Only one chunk is held for
 * a client; one that falls behind the buffer is told so and cut off.
 */
export function streamEvents(hub: EventHub, listening: Listening): ReadableStream<Uint8Array> {
  const stream = new EventStream(hub, listening);
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const chunk = await stream.next();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
      cancel: () => stream.cancel(),
    },
    // Nothing is made before the client takes it; and what nobody reads, as of a HEAD, never begins.
    { highWaterMark: 0 },
  );
}

const CHUNK_BYTES = 65_536;
const PAGE = 100;
const BATCH = 256;
// A client that lets so many heartbeats wait is no longer there.
const MISSED_HEARTBEATS = 4;

class EventStream implements Listener {
  readonly #hub: EventHub;
  readonly #listening: Listening;
  /** Every event up to this one was sent or passed over. */
  #position: number;
  #isOpen = false;
  #isLive = false;
  #over: string | undefined;
  #wakeUp: (() => void) | undefined;
  #isQuiet = false;
  #missed = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(hub: EventHub, listening: Listening) {
    this.#hub = hub;
    this.#listening = listening;
    this.#position = listening.after;
  }

  get livePosition(): number | undefined {
    return this.#isLive ? this.#position : undefined;
  }

  /** What is to be sent next, when there is something; `undefined` at the end. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#timer === undefined) this.#startTimer();
    const chunk = await this.#next();
    this.#missed = 0;
    if (chunk === undefined) clearTimeout(this.#timer);
    else this.#timer!.refresh();
    return chunk;
  }

  wake(): void {
    this.#wakeUp?.();
  }

  async check(): Promise<void> {
    if (!(await this.#listening.isAllowed())) this.#leave("what you may see has changed");
  }

  end(reason: string): void {
    this.#over ??= reason;
    this.#wakeUp?.();
  }

  /** The client has left. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.#leave("");
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (!this.#isOpen) {
      this.#isOpen = true;
      return joinFrames(this.#listening.opening);
    }
    if (this.#over === "") return undefined;
    try {
      const chunk = await this.#follow();
      if (chunk !== undefined) return chunk;
    } catch {
      // The answer has begun: whoever comes back is told what is wrong.
      this.#leave("the registry cannot be read now");
    }
    const reason = this.#over!;
    // Told once; then comes the end.
    this.#over = "";
    return reason === "" ? undefined : toComment(`${reason}; come back with Last-Event-ID`);
  }

  async #follow(): Promise<Uint8Array | undefined> {
    const recent = await this.#hub.join(this);
    while (this.#over === undefined) {
      const frames = await this.#take(recent);
      if (frames.length > 0) return joinFrames(frames);
      if (this.#position < recent.head || this.#over !== undefined) continue;
      await this.#newsOrSilence();
      if (!this.#isQuiet) continue;
      this.#isQuiet = false;
      return toComment("heartbeat");
    }
    return undefined;
  }

  #leave(reason: string): void {
    this.#hub.leave(this);
    this.end(reason);
  }

  async #take(recent: RecentEvents): Promise<Uint8Array[]> {
    if (this.#position >= recent.base) return this.#takeRecent(recent);
    if (!this.#isLive) return this.#takePast();
    this.#leave("cut off: this reader is slower than the events");
    return [];
  }

  async #takeRecent(recent: RecentEvents): Promise<Uint8Array[]> {
    this.#isLive = true;
    const { caller, filter } = this.#listening;
    const frames: Uint8Array[] = [];
    let bytes = 0;
    for (const event of recent.after(this.#position, BATCH)) {
      if (bytes >= CHUNK_BYTES) break;
      if (wants(filter, event) && (caller.seesAll || (await this.#hub.sees(caller, event)))) {
        frames.push(event.frame);
        bytes += event.frame.byteLength;
      }
      this.#position = event.eventId;
    }
    return frames;
  }

  async #takePast(): Promise<Uint8Array[]> {
    // Reading does not leave the turn of the event loop, and others want theirs.
    await turn();
    const { caller, filter } = this.#listening;
    // Before the page: what comes in between is read now or still to come.
    const newest = await caller.history.latestEventId();
    const { items, nextCursor } = await caller.history.list({
      ...filter,
      order: "asc",
      cursor: String(this.#position),
      limit: PAGE,
    });
    const frames: Uint8Array[] = [];
    let bytes = 0;
    for (const event of items) {
      if (bytes >= CHUNK_BYTES) return frames;
      const frame = toFrame(event);
      frames.push(frame);
      bytes += frame.byteLength;
      this.#position = event.eventId;
    }
    if (nextCursor === null) this.#position = Math.max(this.#position, newest);
    return frames;
  }

  #newsOrSilence(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeUp = () => {
        this.#wakeUp = undefined;
        resolve();
      };
    });
  }

  #startTimer(): void {
    this.#timer = setTimeout(() => this.#tick(), this.#listening.heartbeatMs).unref();
  }

  // Each time a heartbeat is due: it is sent, or the client has not even taken the last chunk.
  #tick(): void {
    this.#timer!.refresh();
    if (this.#wakeUp !== undefined) {
      this.#isQuiet = true;
      this.#wakeUp();
    } else if (++this.#missed === MISSED_HEARTBEATS) {
      this.#listening.abandon();
    }
  }
}
