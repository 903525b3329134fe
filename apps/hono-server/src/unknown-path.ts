import type { NotFoundHandler } from "hono";

import type { Env } from "./env.ts";
import { HttpError, toErrorResponse } from "./errors.ts";
import type { Route } from "./route.ts";

/**
 * Answers what no route does: a method that the path does not know is told those it does, in `Allow`
 * (RFC 9110, 10.2.1), and OPTIONS asks for just that.
 */
export function unknownPath(routes: readonly Pick<Route, "method" | "path">[]): NotFoundHandler<Env> {
  const patterns = routes.map(({ method, path }) => ({ method, pattern: toPattern(path) }));
  return (c) => {
    const { method, path } = c.req;
    const found = patterns.filter(({ pattern }) => pattern.test(path)).map((known) => known.method);
    if (found.length === 0) {
      return toErrorResponse(new HttpError("route_not_found", `There is nothing at ${path}.`), c);
    }
    const words = [...new Set(found), ...(found.includes("get") ? ["head"] : []), "options"];
    const allow = words.join(", ").toUpperCase();
    if (method === "OPTIONS") return c.body(null, 204, { allow });
    const message = `${method} is nothing that ${path} does; it does ${allow}.`;
    return toErrorResponse(new HttpError("method_not_allowed", message, { allow }), c);
  };
}

function toPattern(path: string): RegExp {
  const parts = path
    .split("/")
    .map((part) => (part.startsWith("{") ? "[^/]+" : part.replaceAll(".", String.raw`\.`)));
  // The last parameter may hold slashes.
  if (parts.at(-1) === "[^/]+") parts[parts.length - 1] = ".+";
  return new RegExp(`^${parts.join("/")}$`);
}
