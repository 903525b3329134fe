import type { IncomingMessage, ServerResponse } from "node:http";

import type { RequestContext } from "../env.ts";

/**
 * What the guard looks at of a request, and says in its answer: in Node's own objects where there are
 * some, since the web's `Headers` cost more than the rest of the guard.
 */
export class Asked {
  readonly #c: RequestContext;
  readonly #incoming: IncomingMessage | undefined;
  readonly outgoing: ServerResponse | undefined;
  #said: [name: string, value: string][] | undefined;

  constructor(c: RequestContext) {
    this.#c = c;
    // Asked by `app.request()`, an app has none.
    c.env ??= {};
    this.#incoming = c.env.incoming;
    this.outgoing = c.env.outgoing;
  }

  /** A header, by its name in small letters; what came more than once is joined with commas. */
  header(name: string): string | undefined {
    if (this.#incoming === undefined) return this.#c.req.raw.headers.get(name) ?? undefined;
    return this.#incoming.headers[name] as string | undefined;
  }

  /** Whom the client believes to talk to: the `Host` header, with the port if it names one. */
  get host(): string {
    return this.#incoming === undefined ? new URL(this.#c.req.url).host : (this.#incoming.headers.host ?? "");
  }

  /** The address at the other end of the connection; `undefined` on a unix socket. */
  get peer(): string | undefined {
    return this.#incoming?.socket.remoteAddress;
  }

  /** The address of this machine at which the connection came in; `undefined` on a unix socket. */
  get localAddress(): string | undefined {
    return this.#incoming?.socket.localAddress;
  }

  /** Puts a header into the answer, whatever that will be. */
  say(name: string, value: string): void {
    if (this.outgoing === undefined) (this.#said ??= []).push([name, value]);
    else this.outgoing.setHeader(name, value);
  }

  /** Completes an answer that does not go through Node's own object. */
  finish(): void {
    for (const [name, value] of this.#said ?? []) this.#c.res.headers.set(name, value);
  }
}
