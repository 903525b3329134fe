import type { Registry } from "@cortex/model-db";
import { Hono } from "hono";

import { KeptAnswers } from "./answer/kept-answers.ts";
import { DOCS_POLICY, docsPage, type Documented } from "./docs/page.ts";
import type { Env, Service } from "./env.ts";
import { toErrorResponse } from "./errors.ts";
import { EventHub } from "./events/event-hub.ts";
import type { RecentLimits } from "./events/recent-events.ts";
import { Authentication } from "./guard/authentication.ts";
import { guardApp } from "./guard/guard-app.ts";
import { Guard, type GuardOptions } from "./guard/guard.ts";
import { Lane } from "./lane/lane.ts";
import { ServiceMetrics } from "./metrics/metrics.ts";
import { mount } from "./mount.ts";
import { openApiDocument } from "./openapi.ts";
import { Readiness } from "./readiness.ts";
import { logApp, RequestLog, type ServiceLog } from "./request-log.ts";
import { routeOf } from "./route-of.ts";
import { ROUTES } from "./routes/index.ts";
import { Sources, type SourcesOptions } from "./sources/sources.ts";
import { unknownPath } from "./unknown-path.ts";

/** The service as a Hono app: mount it, or serve it with `createNodeServer`. */
export interface App extends Hono<Env> {
  /** Answers some of what the app answers on Node's own objects, faster; `createNodeServer` asks it first. */
  readonly lane: Pick<Lane, "take" | "refuse">;
}

/** How the service behaves; each has a default that is safe on a loopback address. */
export interface AppOptions extends GuardOptions {
  /** What changes are attributed to while there are no users; `http` when left out. */
  actor?: string | undefined;
  /** Is given up when the service is about to end: it is no longer ready, and event streams are ended. */
  closing?: AbortSignal | undefined;
  /** After how much silence an event stream says that it is still there, in milliseconds; 15,000. */
  heartbeatMs?: number | undefined;
  /** How much of the newest history is held for those who follow it; 4,096 events, 4 MiB. */
  recentEvents?: RecentLimits | undefined;
  /** What models are brought in with; none are when left out. */
  sources?: SourcesOptions | undefined;
  /** Is told of each request, and of what went wrong; nothing is logged when left out. */
  log?: ServiceLog | undefined;
}

const RECENT_EVENTS: RecentLimits = { events: 4096, bytes: 4 * 1024 * 1024 };
const HEARTBEAT_MS = 15_000;

/**
 * The registry as a Hono app.
 *
 * @param registry stays the caller's: it is not closed.
 * @example
 * ```ts
 * await using registry = await openRegistry("registry.db");
 * const app = createApp(registry);
 * const answer = await app.request("/v1/models");
 * answer.status; // 200
 * ```
 */
export function createApp(registry: Registry, options: AppOptions = {}): App {
  // Paths stay as they were sent, so that each is decoded once, where its parameter is read.
  const app = new Hono<Env>({ getPath: rawPath });
  const { closing, heartbeatMs = HEARTBEAT_MS, recentEvents = RECENT_EVENTS } = options;
  const metrics = new ServiceMetrics(registry);
  const hub = new EventHub(registry, {
    ...recentEvents,
    signal: closing,
    onEvent: (at) => metrics.noteEvent(at),
  });
  metrics.watchEvents(hub);
  const authentication = new Authentication(registry, options);
  const readiness = new Readiness(registry, closing);
  const answers = new KeptAnswers();
  const sources = new Sources(registry, options.sources);
  const service: Service = {
    authentication,
    hub,
    heartbeatMs,
    metrics,
    readiness,
    answers,
    sources,
    closing,
  };
  const { requests } = metrics;
  const guard = new Guard(registry, authentication, options);
  const log = options.log && new RequestLog(options.log, ROUTES);
  app.use(async (c, next) => {
    const start = requests.begin();
    c.set("service", service);
    await next();
    requests.end(start, c.req.method, routeOf(c) ?? "none", c.res.status);
  });
  if (log !== undefined) app.use(logApp(log));
  app.use(guardApp(guard));
  for (const route of ROUTES) mount(app, route);
  let document: string | undefined;
  app.get("/openapi.json", (c) => {
    document ??= JSON.stringify(openApiDocument(ROUTES));
    return c.body(document, 200, { "content-type": "application/json" });
  });
  let docs: string | undefined;
  app.get("/docs", (c) => {
    docs ??= docsPage(openApiDocument(ROUTES) as unknown as Documented);
    return c.html(docs, 200, { "content-security-policy": DOCS_POLICY });
  });
  app.notFound(unknownPath(ROUTES));
  app.onError(toErrorResponse);
  return Object.assign(app, { lane: new Lane({ guard, answers, requests, log }, ROUTES) });
}

function rawPath(request: Request, { env }: { env?: Partial<Env["Bindings"]> | undefined } = {}): string {
  // A `Request` has its URL normalized: there, `/v1/models/a/../b` is another path.
  const url = env?.incoming?.url ?? request.url;
  const start = env?.incoming?.url === undefined ? url.indexOf("/", url.indexOf("://") + 3) : 0;
  const end = url.indexOf("?", start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
}
