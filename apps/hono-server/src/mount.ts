import type { Hono } from "hono";

import type { Env, RequestContext } from "./env.ts";
import { readBody } from "./read-body.ts";
import { readPath } from "./read-path.ts";
import { readQuery } from "./read-query.ts";
import type { Route, RouteInput, RouteRequest } from "./route.ts";

/** Lets an app answer a route: what it takes is read and checked, then it is handled. */
export function mount(app: Hono<Env>, { method, path, request, handle }: Route): void {
  // A name may hold slashes, so a parameter at the end takes all that is left.
  const pattern = path.replace(/\{(\w+)\}$/, ":$1{.+}").replace(/\{(\w+)\}(?=\/)/g, ":$1");
  const readInput = async (c: RequestContext): Promise<RouteInput<RouteRequest>> => ({
    path: request.path && readPath(c, path),
    query: request.query && readQuery(c, request.query),
    body: request.body && (await readBody(c, request.body, { isAnyMediaType: request.isAnyMediaType })),
  });
  app.on(method.toUpperCase(), pattern, async (c) => {
    c.set("route", path);
    return handle(c, await readInput(c));
  });
}
