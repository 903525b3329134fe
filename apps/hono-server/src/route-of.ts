import { matchedRoutes } from "hono/route";

import type { RequestContext } from "./env.ts";

// By the pattern that Hono has for it.
const paths = new Map<string, string>();

/** The pattern by which Hono finds a route's path; the last parameter may hold slashes. */
export function toPattern(path: string): string {
  const pattern = path.replace(/\{(\w+)\}$/, ":$1{.+}").replace(/\{(\w+)\}(?=\/)/g, ":$1");
  paths.set(pattern, path);
  return pattern;
}

/**
 * The route that a request is for, as OpenAPI writes its path, also where it is refused before it gets there;
 * `undefined` where there is none.
 */
export function routeOf(c: RequestContext): string | undefined {
  // The first that fits answers; what stands in front of the routes fits every path.
  const found = matchedRoutes(c).find(({ path }) => !path.includes("*"));
  return found && (paths.get(found.path) ?? found.path);
}
