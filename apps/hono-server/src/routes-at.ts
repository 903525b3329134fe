import type { Route } from "./route.ts";

/** What a path is enough to tell of a route. */
export type RoutePlace = Pick<Route, "method" | "path">;

/** Finds the routes, of whatever method, whose path a request's path is, in their order. */
export function routesAt(routes: readonly RoutePlace[]): (path: string) => RoutePlace[] {
  const patterns = routes.map((route) => ({ route, pattern: toPattern(route.path) }));
  return (path) => patterns.filter(({ pattern }) => pattern.test(path)).map(({ route }) => route);
}

function toPattern(path: string): RegExp {
  const parts = path
    .split("/")
    .map((part) => (part.startsWith("{") ? "[^/]+" : part.replaceAll(".", String.raw`\.`)));
  // The last parameter may hold slashes.
  if (parts.at(-1) === "[^/]+") parts[parts.length - 1] = ".+";
  return new RegExp(`^${parts.join("/")}$`);
}
