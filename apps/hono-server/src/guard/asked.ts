import type { IncomingMessage } from "node:http";

/**
 * A request as the guard sees it, and what it finds out about it. It looks into Node's own request: the web's
 * `Headers` cost more than the rest of the guard.
 */
export abstract class Asked {
  readonly method: string;
  /** As it was sent, without the query. */
  readonly path: string;
  /** Names the request in answers, logs and the history. */
  requestId = "";
  /** Where it comes from: an IP address, or `local` for a unix socket. */
  address: string | undefined;
  /** Who it is by the token that came along. */
  user: string | undefined;
  readonly #incoming: IncomingMessage | undefined;

  constructor(method: string, path: string, incoming: IncomingMessage | undefined) {
    this.method = method;
    this.path = path;
    this.#incoming = incoming;
  }

  /** A header, by its name in small letters; what came more than once is joined with commas. */
  header(name: string): string | undefined {
    return this.#incoming?.headers[name] as string | undefined;
  }

  /** Whom the client believes to talk to: the `Host` header, with the port if it names one. */
  get host(): string {
    return this.#incoming?.headers.host ?? "";
  }

  /** The address at the other end of the connection; `undefined` on a unix socket. */
  get peer(): string | undefined {
    return this.#incoming?.socket.remoteAddress;
  }

  /** The address of this machine at which the connection came in; `undefined` on a unix socket. */
  get localAddress(): string | undefined {
    return this.#incoming?.socket.localAddress;
  }

  /**
   * The registry's counter of changes at some moment since the request came in.
   *
   * @param changeCounter looks at it now.
   */
  look(changeCounter: () => number): number {
    return changeCounter();
  }

  /** Puts a header into the answer, whatever that will be. */
  abstract say(name: string, value: string): void;

  /** Calls back when the last byte of the answer is out, or its client is gone. */
  abstract whenOut(callback: () => void): void;
}
