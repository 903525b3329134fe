import { keptReader } from "../answer/kept-reader.ts";
import type { KeptRoute, Route } from "../route.ts";
import { routesAt } from "../routes-at.ts";

/** A route whose answers are kept, and what makes them. */
export interface KeptPlace {
  readonly route: KeptRoute;
  readonly read: ReturnType<typeof keptReader>;
}

interface Below extends KeptPlace {
  /** What the paths of the route begin with. */
  readonly prefix: string;
  /** Of the routes that a path with that beginning may mean, those that it means; the first one answers. */
  readonly meant: ReturnType<typeof routesAt>;
}

/** Finds the route of a GET whose answers are kept: by a look-up or two, where an app compares with every route. */
export class KeptPlaces {
  readonly #exact = new Map<string, KeptPlace>();
  readonly #below: Below[] = [];

  /** @param routes all of them, in the order in which they are tried. */
  constructor(routes: readonly Route[]) {
    const asked = routes.filter(({ method }) => method === "get");
    for (const route of asked) {
      if (!("read" in route)) continue;
      const place = { route, read: keptReader(route) };
      const prefix = prefixOf(route);
      const near = asked.filter(
        (other) => prefixOf(other).startsWith(prefix) || prefix.startsWith(prefixOf(other)),
      );
      const meant = routesAt(near);
      if (prefix !== route.path) this.#below.push({ ...place, prefix, meant });
      else if (meant(prefix)[0] === route) this.#exact.set(prefix, place);
    }
  }

  /** The route that a path means, if it is one of those. */
  find(path: string): KeptPlace | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    return this.#below.find(
      ({ prefix, meant, route }) => path.startsWith(prefix) && meant(path)[0] === route,
    );
  }
}

/** What stands before the first parameter. */
function prefixOf({ path }: Route): string {
  return path.split("{")[0]!;
}
