import type { IncomingMessage, ServerResponse } from "node:http";

import type { KeptAnswers } from "../answer/kept-answers.ts";
import { toErrorAnswer } from "../errors.ts";
import type { Guard } from "../guard/guard.ts";
import { whenClosed } from "../guard/when-closed.ts";
import type { RequestMeter } from "../metrics/request-meter.ts";
import type { RequestLog } from "../request-log.ts";
import type { Route } from "../route.ts";
import { AskedOfNode } from "./asked-of-node.ts";
import { KeptPlaces, type KeptPlace } from "./kept-places.ts";
import { SharedLooks } from "./shared-looks.ts";

/** What an app answers with, which the lane answers with too. */
export interface LaneParts {
  readonly guard: Guard;
  readonly answers: KeptAnswers;
  readonly requests: RequestMeter;
  readonly log: RequestLog | undefined;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
}

// Where `Request` would make something else of an address or a host, the app answers.
const PLAIN_TARGET = /^\/[!$-[\]_a-z~]*$/;
const PLAIN_HOST = /^[a-z0-9._-]+(?::(?:[1-9]\d{0,3}|[1-5]\d{4}))?$/;

/**
 * Answers what is asked most, and is kept, on Node's own request and answer: what an app costs beside that is
 * as much again. It says, counts and logs exactly what the app would.
 */
export class Lane {
  readonly #parts: LaneParts;
  readonly #places: KeptPlaces;
  readonly #looks = new SharedLooks();

  /** @param routes those of the app, in their order. */
  constructor(parts: LaneParts, routes: readonly Route[]) {
    this.#parts = parts;
    this.#places = new KeptPlaces(routes);
  }

  /** Answers a request if it is one for the lane. @returns whether it is. */
  take(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    const isTaken = this.#take(incoming, outgoing);
    if (!isTaken) this.#looks.leaveOut(incoming.socket);
    return isTaken;
  }

  #take(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    const { method, headers, url } = incoming as IncomingMessage & { url: string };
    if (method !== "GET" || !PLAIN_TARGET.test(url) || !PLAIN_HOST.test(headers.host ?? "")) return false;
    // Whoever reads has nothing to send along.
    if ("content-length" in headers || "transfer-encoding" in headers) return false;
    const query = url.indexOf("?");
    const path = query === -1 ? url : url.slice(0, query);
    const place = this.#places.find(path);
    if (place === undefined) return false;
    void this.#answer(place, incoming, outgoing, path);
    return true;
  }

  async #answer(
    { route, read }: KeptPlace,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    path: string,
  ): Promise<void> {
    const { guard, answers, requests, log } = this.#parts;
    const startedAt = requests.begin();
    const url = incoming.url!;
    const asked = new AskedOfNode(incoming, outgoing, path, this.#looks);
    let answer: Answer;
    let error: unknown;
    try {
      // Only a browser that asks first is let in without a caller, and that is no GET.
      const caller = (await guard.admit(asked))!;
      answer = await answers.answer(caller, url, asked.header("if-none-match"), () =>
        read(caller, { req: { path, url } }),
      );
      send(outgoing, asked.headers, answer);
    } catch (thrown) {
      error = thrown;
      answer = toErrorAnswer(thrown, asked.requestId, path);
      send(outgoing, asked.headers, answer);
    }
    const { status } = answer;
    requests.end(startedAt, "GET", route.path, status);
    if (log === undefined) return;
    const { requestId, address, user } = asked;
    whenClosed(outgoing, () => {
      const isCut = !outgoing.writableFinished;
      const known = { requestId, method: "GET", path, route: route.path, address, user };
      log.write({ ...known, status, startedAt, isCut, error });
    });
  }
}

function send(
  outgoing: ServerResponse,
  said: Record<string, string>,
  { status, headers, body }: Answer,
): void {
  const all: Record<string, string | number> = { ...said, ...headers };
  if (body === null) {
    outgoing.writeHead(status, all).end();
    return;
  }
  const length = Buffer.byteLength(body);
  all["content-length"] = length;
  // Of ASCII, which nearly all are, the bytes are copied and not encoded.
  outgoing.writeHead(status, all).end(body, length === body.length ? "latin1" : "utf8");
}
