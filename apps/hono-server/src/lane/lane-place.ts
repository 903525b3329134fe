import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

import type { GuardedRegistry } from "@cortex/model-db";

import type { Answer } from "../answer/answer.ts";
import type { KeptAnswers } from "../answer/kept-answers.ts";
import { keptReader } from "../answer/kept-reader.ts";
import type { Asked } from "../guard/asked.ts";
import { pathReader } from "../request/path-reader.ts";
import { parseBody } from "../request/read-body.ts";
import { readIncoming } from "../request/read-bytes.ts";
import type { ChangingRoute, KeptRoute, Route } from "../route.ts";

/** A route that the lane can answer. */
export interface LanePlace {
  readonly route: Route;
  /** Whether it answers a request with such headers. */
  readonly takes: (headers: IncomingHttpHeaders) => boolean;
  /** Makes the answer. */
  readonly answer: (caller: GuardedRegistry, asked: Asked, incoming: IncomingMessage) => Promise<Answer>;
}

// Of five digits at most; whoever sends more waits for that, and not for the app.
const SHORT_LENGTH = /^[1-9]\d{0,4}$/;

/** The place of a route; `undefined` where only the app can answer it. */
export function lanePlaceOf(route: Route, answers: KeptAnswers): LanePlace | undefined {
  if ("read" in route) return keptPlace(route, answers);
  return "change" in route ? changingPlace(route) : undefined;
}

function keptPlace(route: KeptRoute, answers: KeptAnswers): LanePlace {
  const read = keptReader(route);
  return {
    route,
    takes: (headers) => !hasBody(headers),
    answer: (caller, asked, incoming) => {
      const url = incoming.url!;
      return answers.answer(caller, url, asked.header("if-none-match"), () =>
        read(caller, { req: { path: asked.path, url } }),
      );
    },
  };
}

function changingPlace(route: ChangingRoute): LanePlace {
  const { path, request, change } = route;
  const readPath = pathReader(path);
  const { body: schema } = request;
  return {
    route,
    takes: schema === undefined ? (headers) => !hasBody(headers) : hasShortBody,
    answer: async (caller, asked, incoming) => {
      const input = {
        path: request.path && readPath(asked.path),
        query: undefined,
        body: schema && parseBody(await readIncoming(incoming), asked.header("content-type"), schema),
      };
      return change(caller, input, asked);
    },
  };
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return "content-length" in headers || "transfer-encoding" in headers;
}

function hasShortBody(headers: IncomingHttpHeaders): boolean {
  return (
    SHORT_LENGTH.test(headers["content-length"] ?? "") &&
    !("transfer-encoding" in headers || "content-encoding" in headers || "expect" in headers)
  );
}
