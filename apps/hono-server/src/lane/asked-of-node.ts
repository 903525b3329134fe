import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

import { Asked } from "../guard/asked.ts";
import { whenClosed } from "../guard/when-closed.ts";
import { setHeader, type HeaderList } from "./header-list.ts";
import type { SharedLooks } from "./shared-looks.ts";

/** A request that is answered on Node's own objects. */
export class AskedOfNode extends Asked {
  /** What was said so far. */
  readonly headers: HeaderList = [];
  readonly #outgoing: ServerResponse;
  readonly #socket: Socket;
  readonly #looks: SharedLooks;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, path: string, looks: SharedLooks) {
    super(incoming.method!, path, incoming);
    this.#outgoing = outgoing;
    this.#socket = incoming.socket;
    this.#looks = looks;
  }

  override look(changeCounter: () => number): number {
    return this.#looks.for(this.#socket, changeCounter);
  }

  say(name: string, value: string): void {
    setHeader(this.headers, name, value);
  }

  whenOut(callback: () => void): void {
    whenClosed(this.#outgoing, callback);
  }
}
