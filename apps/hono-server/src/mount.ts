import type { Hono } from "hono";

import { keptReader } from "./answer/kept-reader.ts";
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
    const { status, headers, body } = await c
      .get("service")
      .answers.answer(caller, c.env.incoming?.url ?? c.req.url, c.req.header("if-none-match"), () =>
        read(caller, c),
      );
    // Plain headers are handed to Node as they are; the web's `Headers` would cost more than reading a model.
    return new Response(body, { status, headers });
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
    const answer = await change(c.get("caller"), input, c.req);
    return new Response(answer.body, answer);
  };
}
