import type { Hono } from "hono";

import { keptReader } from "./answer/kept-reader.ts";
import type { Env, RequestContext } from "./env.ts";
import { pathReader } from "./request/path-reader.ts";
import { readBody } from "./request/read-body.ts";
import { readQuery } from "./request/read-query.ts";
import { toPattern } from "./route-of.ts";
import type { HandledRoute, KeptRoute, Route } from "./route.ts";

/** Lets an app answer a route: what it takes is read and checked, then it is handled. */
export function mount(app: Hono<Env>, route: Route): void {
  const answer = "read" in route ? keeping(route) : handling(route);
  app.on(route.method.toUpperCase(), toPattern(route.path), answer);
}

type Handler = (c: RequestContext) => Promise<Response>;

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
