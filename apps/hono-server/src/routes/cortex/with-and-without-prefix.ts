import type { HandledRoute, Method, RouteRequest } from "../../route.ts";

type OldRoute<Request extends RouteRequest> = HandledRoute<Method, `/${string}`, Request>;

/** A route of the old program, which it answered with `/v1` before the path and without. */
export function withAndWithoutPrefix<const Request extends RouteRequest>(
  definition: OldRoute<Request>,
): [OldRoute<Request>, OldRoute<Request>] {
  return [
    { ...definition, path: `/v1${definition.path}` },
    { ...definition, operationId: `${definition.operationId}Unprefixed` },
  ];
}
