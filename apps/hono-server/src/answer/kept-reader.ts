import type { GuardedRegistry } from "@cortex/model-db";

import type { Target } from "../env.ts";
import { pathReader } from "../request/path-reader.ts";
import { readQuery } from "../request/read-query.ts";
import type { KeptRoute } from "../route.ts";
import type { JsonText } from "./json-text.ts";

/** What makes the answers of a route that are kept: what was asked for is read and checked, then looked up. */
export function keptReader({
  path,
  request,
  read,
}: KeptRoute): (caller: GuardedRegistry, target: Target) => Promise<JsonText> {
  const readPath = pathReader(path);
  return async (caller, target) => {
    const input = {
      path: request.path && readPath(target.req.path),
      query: request.query && readQuery(target, request.query),
      body: undefined,
    };
    return read(caller, input, target);
  };
}
