import { toVisible } from "@cortex/model-db";
import type { MiddlewareHandler } from "hono";

import type { Env } from "./env.ts";
import { isForClient } from "./errors.ts";
import { isProbe } from "./guard/public-paths.ts";
import { routeOf } from "./route-of.ts";
import { routesAt, type RoutePlace } from "./routes-at.ts";

/** Where the service says what it did; pino's loggers are such. */
export interface ServiceLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /**
   * Takes the fields of an answered request as JSON without its braces, for a line of `info` with the message
   * `Answered`; `info` itself is told where this is left out.
   */
  answered?(fields: string): void;
}

/** A request whose answer is out. */
export interface Answered {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  /** The path of its route, as OpenAPI writes it. */
  readonly route: string | undefined;
  readonly status: number;
  /** When it came in, by `performance.now()`. */
  readonly startedAt: number;
  readonly address: string | undefined;
  readonly user: string | undefined;
  /** Whether the client left before it had all. */
  readonly isCut: boolean;
  /** What went wrong. */
  readonly error: unknown;
}

const PATH_LENGTH = 200;

/**
 * Logs each request once: never a header, a body, or what stands in the query or the path's parameters.
 * Failures of the service come with the error behind them; whoever is refused, or told to come again, is none.
 */
export class RequestLog {
  readonly #log: ServiceLog;
  readonly #at: ReturnType<typeof routesAt>;

  /** @param routes those whose path may have been asked with another method. */
  constructor(log: ServiceLog, routes: readonly RoutePlace[]) {
    this.#log = log;
    this.#at = routesAt(routes);
  }

  write({ path, method, status, error, ...answered }: Answered): void {
    // A method that the path does not know has no route, and its path has parameters all the same.
    const route = answered.route ?? this.#at(path)[0]?.path;
    const isFailure = status >= 500 && !isForClient(error);
    const fields = {
      request_id: answered.requestId,
      method,
      route,
      path: route === undefined ? toVisible(path.slice(0, PATH_LENGTH)) : undefined,
      status,
      duration_ms: Math.round((performance.now() - answered.startedAt) * 100) / 100,
      address: answered.address,
      user: answered.user,
      is_cut: answered.isCut || undefined,
      err: isFailure ? error : undefined,
    };
    if (isFailure) this.#log.error(fields, "Failed");
    else if (isProbe(path)) this.#log.debug(fields, "Answered");
    else if (this.#log.answered !== undefined) this.#log.answered(textOf(fields));
    else this.#log.info(fields, "Answered");
  }
}

interface Fields {
  readonly request_id: string;
  readonly method: string;
  readonly route: string | undefined;
  readonly path: string | undefined;
  readonly status: number;
  readonly duration_ms: number;
  readonly address: string | undefined;
  readonly user: string | undefined;
  readonly is_cut: boolean | undefined;
}

// One for each request: a logger that looks at each field takes as long as the rest of what a kept answer takes.
function textOf({
  request_id,
  method,
  route,
  path,
  status,
  duration_ms,
  address,
  user,
  is_cut,
}: Fields): string {
  const where = route === undefined ? `"path":${JSON.stringify(path)}` : `"route":"${route}"`;
  // What names a request, a method, a route and an address have nothing in them that JSON would escape.
  let text = `"request_id":"${request_id}","method":"${method}",${where},"status":${status},"duration_ms":${duration_ms}`;
  if (address !== undefined) text += `,"address":"${address}"`;
  if (user !== undefined) text += `,"user":${JSON.stringify(user)}`;
  return is_cut === undefined ? text : `${text},"is_cut":true`;
}

/** Logs the requests to an app, each when its answer is out. */
export function logApp(log: RequestLog): MiddlewareHandler<Env> {
  return async (c, next) => {
    const startedAt = performance.now();
    await next();
    const { outgoing } = c.env ?? {};
    const write = (): void => {
      log.write({
        requestId: c.get("requestId"),
        method: c.req.method,
        path: c.req.path,
        route: routeOf(c),
        status: c.res.status,
        startedAt,
        address: c.get("address"),
        user: c.get("user"),
        isCut: outgoing !== undefined && !outgoing.writableFinished,
        error: c.error,
      });
    };
    if (outgoing === undefined || outgoing.closed) write();
    else outgoing.once("close", write);
  };
}
