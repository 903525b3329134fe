import type { Socket } from "node:net";
import { performance, type UVMetrics } from "node:perf_hooks";
import type { TLSSocket } from "node:tls";

const { nodeTiming } = performance;

const LEFT_OUT = Symbol("left out");

/**
 * Shares a look whether the registry has changed among requests that were all there before it: Node asks the
 * system now and then which connections have something to read, and reads them one after the other. Whatever
 * anybody had committed before they asked is seen.
 */
export class SharedLooks {
  // When each connection was last read for a request.
  readonly #readAt = new WeakMap<Socket, UVMetrics | typeof LEFT_OUT>();
  #lookedAt: UVMetrics | undefined;
  #counter = 0;

  /**
   * The counter of changes for a request that has just been read.
   *
   * @param look finds it out now.
   */
  for(socket: Socket, look: () => number): number {
    const now = nodeTiming.uvMetricsInfo;
    const isFirst = this.#isFirst(socket, now);
    if (isFirst && isSame(this.#lookedAt, now)) return this.#counter;
    this.#counter = look();
    this.#lookedAt = now;
    return this.#counter;
  }

  /**
   * Has a connection take no part any more. After a request with a body, the next one may be sent while the
   * body is read.
   */
  leaveOut(socket: Socket): void {
    this.#readAt.set(socket, LEFT_OUT);
  }

  // A client may send a request that follows another while that is answered; with TLS, while it is deciphered.
  #isFirst(socket: Socket, now: UVMetrics): boolean {
    const before = this.#readAt.get(socket);
    if (before === LEFT_OUT || (socket as Partial<TLSSocket>).encrypted === true) return false;
    this.#readAt.set(socket, now);
    return !isSame(before, now);
  }
}

// The rounds of the event loop, and of how many events the system has told: another number for each answer of it.
function isSame(one: UVMetrics | undefined, other: UVMetrics): boolean {
  return one?.loopCount === other.loopCount && one.events === other.events;
}
