import type { Registry } from "@cortex/model-db";
import { Hono } from "hono";

import { DOCS_POLICY, docsPage, type Documented } from "./docs/page.ts";
import type { Env } from "./env.ts";
import { toErrorResponse } from "./errors.ts";
import { guard, type GuardOptions } from "./guard/guard.ts";
import { mount } from "./mount.ts";
import { openApiDocument } from "./openapi.ts";
import { ROUTES } from "./routes/index.ts";
import { unknownPath } from "./unknown-path.ts";

/** The service as a Hono app: mount it, or serve it with `@hono/node-server`. */
export type App = Hono<Env>;

/** How the service behaves; each has a default that is safe on a loopback address. */
export interface AppOptions extends GuardOptions {
  /** What changes are attributed to while there are no users; `http` when left out. */
  actor?: string | undefined;
}

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
  app.use(guard(registry, options));
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
  app.onError((error, c) => toErrorResponse(error, c));
  return app;
}

function rawPath(request: Request, { env }: { env?: Partial<Env["Bindings"]> | undefined } = {}): string {
  // A `Request` has its URL normalized: there, `/v1/models/a/../b` is another path.
  const url = env?.incoming?.url ?? request.url;
  const start = env?.incoming?.url === undefined ? url.indexOf("/", url.indexOf("://") + 3) : 0;
  const end = url.indexOf("?", start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
}
