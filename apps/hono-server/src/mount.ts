import type { Hono } from "hono";

import { keptReader } from "./answer/kept-reader.ts";
import { toResponse } from "./answer/to-response.ts";
import type { Env, RequestContext } from "./env.ts";
import { pathReader } from "./request/path-reader.ts";
import { readBody } from "./request/read-body.ts";
import { readQuery } from "./request/read-query.ts";
import { toPattern } from "./route-of.ts";
import type { ChangingRoute, HandledRoute, KeptRoute, Route } from "./route.ts";

/** Lets an app answer a route: what it takes is read and checked, then it is handled. */
export function mount(app: Hono<Env>, route: Route): void {
  app.on(route.method.toUpperCase(), toPattern(route.path), handlerOf(route));
}

type Handler = (c: RequestContext) => Promise<Response>;

function handlerOf(route: Route): Handler {
  if ("read" in route) return keeping(route);
  return "change" in route ? changing(route) : handling(route);
}

function handling({ path, request, handle }: HandledRoute): Handler {
  const readPath = pathReader(path);
  return async (c) =>
    handle(c, {
      path: request.path && readPath(c.req.path),
      query: request.query && readQuery(c, request.query),
      body: request.body && (await readBody(c, request.body, { isAnyMediaType: request.isAnyMediaType })),
    });
}

function keeping(route: KeptRoute): Handler {
  const read = keptReader(route);
  return async (c) => {
    const caller = c.get("caller");
    const question = c.env.incoming?.url ?? c.req.url;
    const { answers } = c.get("service");
    return toResponse(
      await answers.answer(caller, question, c.req.header("if-none-match"), () => read(caller, c)),
    );
  };
}

function changing({ path, request, change }: ChangingRoute): Handler {
  const readPath = pathReader(path);
  return async (c) => {
    const input = {
      path: request.path && readPath(c.req.path),
      query: undefined,
      body: request.body && (await readBody(c, request.body)),
    };
    return toResponse(await change(c.get("caller"), input, c.req));
  };
}
