import { toVisible } from "@cortex/model-db";
import type { MiddlewareHandler } from "hono";

import type { Env } from "./env.ts";
import { isProbe } from "./guard/public-paths.ts";
import { routeOf } from "./route-of.ts";
import { routesAt, type RoutePlace } from "./routes-at.ts";

/** Where the service says what it did; pino's loggers are such. */
export interface ServiceLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const PATH_LENGTH = 200;

/**
 * Logs each request once, when its answer is out: never a header, a body, or what stands in the query or
 * the path's parameters. Failures of the service come with the error behind them.
 *
 * @param routes those whose path may have been asked with another method.
 */
export function requestLog(log: ServiceLog, routes: readonly RoutePlace[]): MiddlewareHandler<Env> {
  const at = routesAt(routes);
  return async (c, next) => {
    const startedAt = performance.now();
    await next();
    const { outgoing } = c.env ?? {};
    const write = (): void => {
      const { status } = c.res;
      // A method that the path does not know has no route, and its path has parameters all the same.
      const route = routeOf(c) ?? at(c.req.path)[0]?.path;
      const fields = {
        request_id: c.get("requestId"),
        method: c.req.method,
        ...(route === undefined ? { path: toVisible(c.req.path.slice(0, PATH_LENGTH)) } : { route }),
        status,
        duration_ms: Math.round((performance.now() - startedAt) * 100) / 100,
        address: c.get("address"),
        user: c.get("user"),
        // The client left before it had all.
        ...(outgoing !== undefined && !outgoing.writableFinished ? { is_cut: true } : {}),
        ...(status >= 500 && c.error !== undefined ? { err: c.error } : {}),
      };
      if (status >= 500) log.error(fields, "Failed");
      else if (isProbe(c.req.path)) log.debug(fields, "Answered");
      else log.info(fields, "Answered");
    };
    if (outgoing === undefined || outgoing.closed) write();
    else outgoing.once("close", write);
  };
}
