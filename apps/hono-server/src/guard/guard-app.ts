import type { GuardedRegistry } from "@cortex/model-db";
import type { MiddlewareHandler } from "hono";

import type { Env } from "../env.ts";
import { AskedOfContext } from "./asked-of-context.ts";
import type { Guard } from "./guard.ts";

/** Puts the guard in front of an app. */
export function guardApp(guard: Guard): MiddlewareHandler<Env> {
  return async (c, next) => {
    const asked = new AskedOfContext(c);
    let caller: GuardedRegistry | undefined;
    try {
      caller = await guard.admit(asked);
    } finally {
      c.set("requestId", asked.requestId);
      if (asked.address !== undefined) c.set("address", asked.address);
      if (asked.user !== undefined) c.set("user", asked.user);
    }
    if (caller === undefined) return new Response(null, { status: 204 });
    c.set("caller", caller);
    await next();
    asked.finish();
    return undefined;
  };
}
