import type { Route } from "../route.ts";
import { routesAt } from "../routes-at.ts";

interface Below<Place> {
  /** What the paths of the route begin with. */
  readonly prefix: string;
  /** Of the routes that a path with that beginning may mean, those that it means; the first one answers. */
  readonly meant: ReturnType<typeof routesAt>;
  readonly route: Route;
  readonly place: Place;
}

/** Finds the route of a request by a look-up or two, where an app compares with every route. */
export class Places<Place> {
  readonly #exact = new Map<string, Place>();
  readonly #below: Below<Place>[] = [];

  /**
   * @param routes those of one method, in the order in which they are tried.
   * @param toPlace what is to be found where a route is; `undefined` where it is not to be found.
   */
  constructor(routes: readonly Route[], toPlace: (route: Route) => Place | undefined) {
    for (const route of routes) {
      const place = toPlace(route);
      if (place === undefined) continue;
      const prefix = prefixOf(route);
      const near = routes.filter(
        (other) => prefixOf(other).startsWith(prefix) || prefix.startsWith(prefixOf(other)),
      );
      const meant = routesAt(near);
      if (prefix !== route.path) this.#below.push({ prefix, meant, route, place });
      else if (meant(prefix)[0] === route) this.#exact.set(prefix, place);
    }
  }

  /** What is at a path. */
  find(path: string): Place | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    return this.#below.find(({ prefix, meant, route }) => path.startsWith(prefix) && meant(path)[0] === route)
      ?.place;
  }
}

/** What stands before the first parameter. */
function prefixOf({ path }: Route): string {
  return path.split("{")[0]!;
}
