import type { Context } from "hono";

import type { Caller } from "./caller.ts";

/** What each request carries. */
export interface Env {
  Variables: {
    /** Names the request in answers, logs and the history. */
    requestId: string;
    /** The registry as whoever asks may use it. */
    caller: Caller;
  };
}

/** A request under way. */
export type RequestContext = Context<Env>;
