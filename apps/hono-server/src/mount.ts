import type { Hono } from "hono";

import { JsonText } from "./answer/json-text.ts";
import type { Env, RequestContext } from "./env.ts";
import { pathReader } from "./request/path-reader.ts";
import { readBody } from "./request/read-body.ts";
import { readQuery } from "./request/read-query.ts";
import { toPattern } from "./route-of.ts";
import type { Answer, Route, RouteInput, RouteRequest } from "./route.ts";

/** Lets an app answer a route: what it takes is read and checked, then it is handled. */
export function mount(app: Hono<Env>, { method, path, request, handle, isKept = false }: Route): void {
  const readPath = pathReader(path);
  const readInput = async (c: RequestContext): Promise<RouteInput<RouteRequest>> => ({
    path: request.path && readPath(c.req.path),
    query: request.query && readQuery(c, request.query),
    body: request.body && (await readBody(c, request.body, { isAnyMediaType: request.isAnyMediaType })),
  });
  const read = async (c: RequestContext): Promise<Answer> => handle(c, await readInput(c));
  app.on(method.toUpperCase(), toPattern(path), async (c) => {
    if (isKept) return c.get("service").answers.answer(c, async () => (await read(c)) as JsonText);
    const answer = await read(c);
    return answer instanceof JsonText ? answer.toResponse() : answer;
  });
}
