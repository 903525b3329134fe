import type { ServerResponse } from "node:http";

import type { RequestContext } from "../env.ts";
import { Asked } from "./asked.ts";
import { whenClosed } from "./when-closed.ts";

/** A request to the app, which is served by Node or asked directly by `app.request()`. */
export class AskedOfContext extends Asked {
  readonly #c: RequestContext;
  readonly #outgoing: ServerResponse | undefined;
  readonly #said: [name: string, value: string][] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(c: RequestContext) {
    // Asked directly, an app has no bindings.
    c.env ??= {};
    super(c.req.method, c.req.path, c.env.incoming);
    this.#c = c;
    this.#outgoing = c.env.outgoing;
  }

  override header(name: string): string | undefined {
    return this.#outgoing === undefined
      ? (this.#c.req.raw.headers.get(name) ?? undefined)
      : super.header(name);
  }

  override get host(): string {
    return this.#outgoing === undefined ? new URL(this.#c.req.url).host : super.host;
  }

  say(name: string, value: string): void {
    if (this.#outgoing === undefined) this.#said.push([name, value]);
    else this.#outgoing.setHeader(name, value);
  }

  whenOut(callback: () => void): void {
    if (this.#outgoing === undefined) this.#waiting.push(callback);
    else whenClosed(this.#outgoing, callback);
  }

  /** Completes an answer that does not go through Node's own object. */
  finish(): void {
    for (const [name, value] of this.#said) this.#c.res.headers.set(name, value);
    for (const callback of this.#waiting) callback();
  }
}
