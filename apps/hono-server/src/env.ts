import type { GuardedRegistry } from "@cortex/model-db";
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";

import type { KeptAnswers } from "./answer/kept-answers.ts";
import type { EventHub } from "./events/event-hub.ts";
import type { Authentication } from "./guard/authentication.ts";
import type { ServiceMetrics } from "./metrics/metrics.ts";
import type { Readiness } from "./readiness.ts";
import type { Sources } from "./sources/sources.ts";

/** What each request carries. */
export interface Env {
  /** Node's own request and answer, where the app is served by Node. */
  Bindings: Partial<HttpBindings>;
  Variables: {
    /** Names the request in answers, logs and the history. */
    requestId: string;
    /** The registry as whoever asks may use it. */
    caller: GuardedRegistry;
    /** What is one for the whole service. */
    service: Service;
    /** Where it comes from: an IP address, or `local` for a unix socket. */
    address?: string;
    /** Who it is by the token that came along. */
    user?: string;
  };
}

/** What all requests share. */
export interface Service {
  readonly authentication: Authentication;
  readonly hub: EventHub;
  readonly metrics: ServiceMetrics;
  readonly readiness: Readiness;
  /** After how much silence an event stream says that it is still there, in milliseconds. */
  readonly heartbeatMs: number;
  readonly answers: KeptAnswers;
  readonly sources: Sources;
  /** Is given up when the service is about to end. */
  readonly closing: AbortSignal | undefined;
}

/** A request under way. */
export type RequestContext = Context<Env>;

/** What a request under way asks for: all that is needed of one whose answer is kept. */
export interface Target {
  readonly req: {
    /** As it was sent, without the query. */
    readonly path: string;
    /** With the query; it may lack what is before the path. */
    readonly url: string;
  };
}
