import type { IncomingMessage, ServerResponse } from "node:http";

import type { Answer } from "../answer/answer.ts";
import { JsonText } from "../answer/json-text.ts";
import { LONG_LENGTH, type KeptAnswers } from "../answer/kept-answers.ts";
import { type HttpError, toErrorAnswer } from "../errors.ts";
import type { Guard } from "../guard/guard.ts";
import { newRequestId } from "../guard/request-id.ts";
import { whenClosed } from "../guard/when-closed.ts";
import type { RequestMeter } from "../metrics/request-meter.ts";
import type { Answered, RequestLog } from "../request-log.ts";
import type { Route } from "../route.ts";
import { routesAt } from "../routes-at.ts";
import { AnswerMemory, MAX_MEMORY_LENGTH } from "./answer-memory.ts";
import { AskedOfNode } from "./asked-of-node.ts";
import { setHeader, type HeaderList } from "./header-list.ts";
import { lanePlaceOf, type LanePlace } from "./lane-place.ts";
import { Places } from "./places.ts";
import { SharedLooks } from "./shared-looks.ts";

/** What an app answers with, which the lane answers with too. */
export interface LaneParts {
  readonly guard: Guard;
  readonly answers: KeptAnswers;
  readonly requests: RequestMeter;
  readonly log: RequestLog | undefined;
}

// Where `Request` would make something else of an address or a host, the app answers.
const PLAIN_TARGET = /^\/[!$-[\]_a-z~]*$/;
const PLAIN_HOST = /^[a-z0-9._-]+(?::(?:[1-9]\d{0,3}|[1-5]\d{4}))?$/;

/**
 * Answers what is asked most on Node's own request and answer: what an app costs beside that is as much again.
 * It says, counts and logs exactly what the app would.
 */
export class Lane {
  readonly #parts: LaneParts;
  readonly #places: ReadonlyMap<string, Places<LanePlace>>;
  readonly #at: ReturnType<typeof routesAt>;
  readonly #looks = new SharedLooks();
  readonly #memory = new AnswerMemory();

  /** @param routes those of the app, in their order. */
  constructor(parts: LaneParts, routes: readonly Route[]) {
    this.#parts = parts;
    this.#at = routesAt(routes);
    const toPlace = (route: Route): LanePlace | undefined => lanePlaceOf(route, parts.answers);
    this.#places = new Map(
      [...Map.groupBy(routes, ({ method }) => method)].map(([method, asked]) => [
        method.toUpperCase(),
        new Places(asked, toPlace),
      ]),
    );
  }

  /** Answers a request if it is one for the lane. @returns whether it is. */
  take(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    const { method, headers, url } = incoming as IncomingMessage & { method: string; url: string };
    if (method !== "GET") this.#looks.leaveOut(incoming.socket);
    if (!PLAIN_TARGET.test(url) || !PLAIN_HOST.test(headers.host ?? "")) return this.#leave(incoming);
    const query = url.indexOf("?");
    const path = query === -1 ? url : url.slice(0, query);
    const place = this.#places.get(method)?.find(path);
    if (place === undefined || !place.takes(headers)) return this.#leave(incoming);
    void this.#answer(place, incoming, outgoing, path);
    return true;
  }

  /** Refuses a request whose beginning alone says that it is none to be answered. */
  refuse(incoming: IncomingMessage, outgoing: ServerResponse, error: HttpError): void {
    const startedAt = this.#parts.requests.begin();
    const path = incoming.url!.split("?")[0]!;
    const asked = new AskedOfNode(incoming, outgoing, path, this.#looks);
    asked.requestId = newRequestId();
    asked.address = this.#parts.guard.addressOf(asked);
    // Whatever follows on the connection may not be what it seems.
    asked.say("connection", "close");
    const answer = toErrorAnswer(error, asked.requestId, path);
    this.#send(outgoing, asked.headers, answer);
    const route = this.#at(path).find(({ method }) => method.toUpperCase() === asked.method)?.path;
    this.#end(asked, outgoing, { startedAt, route, status: answer.status, error });
  }

  #leave({ socket }: IncomingMessage): false {
    this.#looks.leaveOut(socket);
    return false;
  }

  async #answer(
    { route, answer: make }: LanePlace,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    path: string,
  ): Promise<void> {
    const { guard, requests } = this.#parts;
    const startedAt = requests.begin();
    const asked = new AskedOfNode(incoming, outgoing, path, this.#looks);
    let answer: Answer;
    let error: unknown;
    try {
      // Only a browser that asks first is let in without a caller, and for that there is no place.
      const caller = (await guard.admit(asked))!;
      answer = await make(caller, asked, incoming);
      this.#send(outgoing, asked.headers, answer);
    } catch (thrown) {
      error = thrown;
      answer = toErrorAnswer(thrown, asked.requestId, path);
      this.#send(outgoing, asked.headers, answer);
    }
    this.#end(asked, outgoing, { startedAt, route: route.path, status: answer.status, error });
  }

  #end(
    asked: AskedOfNode,
    outgoing: ServerResponse,
    { startedAt, route, status, error }: Pick<Answered, "startedAt" | "route" | "status" | "error">,
  ): void {
    const { requests, log } = this.#parts;
    requests.end(startedAt, asked.method, route ?? "none", status);
    if (log === undefined) return;
    whenClosed(outgoing, () => {
      const { requestId, method, path, address, user } = asked;
      const isCut = !outgoing.writableFinished;
      log.write({ requestId, method, path, route, address, user, status, startedAt, isCut, error });
    });
  }

  #send(outgoing: ServerResponse, said: HeaderList, { status, headers, body }: Answer): void {
    const all = said.slice();
    for (const name in headers) setHeader(all, name, headers[name]!);
    if (body === null) {
      outgoing.writeHead(status, all).end();
      return;
    }
    const isText = body instanceof JsonText;
    if (isText && body.length >= LONG_LENGTH && body.length <= MAX_MEMORY_LENGTH) {
      const bytes = this.#memory.write(body.pieces);
      setHeader(all, "content-length", bytes.length);
      // Of an answer that is cut off it never comes, and its memory is let go.
      outgoing.on("finish", () => this.#memory.giveBack(bytes));
      outgoing.writeHead(status, all).end(bytes);
      return;
    }
    const content = isText ? body.toString() : body;
    const length = typeof content === "string" ? Buffer.byteLength(content) : content.length;
    setHeader(all, "content-length", length);
    // Of ASCII, which nearly all are, the bytes are copied and not encoded.
    outgoing.writeHead(status, all).end(content, length === content.length ? "latin1" : "utf8");
  }
}
