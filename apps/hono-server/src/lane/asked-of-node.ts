import type { IncomingMessage, ServerResponse } from "node:http";

import { Asked } from "../guard/asked.ts";
import { whenClosed } from "../guard/when-closed.ts";

/** A request that is answered on Node's own objects. */
export class AskedOfNode extends Asked {
  /** What was said so far. */
  readonly headers: Record<string, string> = {};
  readonly #outgoing: ServerResponse;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, path: string) {
    super(incoming.method!, path, incoming);
    this.#outgoing = outgoing;
  }

  say(name: string, value: string): void {
    this.headers[name] = value;
  }

  whenOut(callback: () => void): void {
    whenClosed(this.#outgoing, callback);
  }
}
