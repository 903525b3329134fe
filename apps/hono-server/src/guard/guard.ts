import type { Registry } from "@cortex/model-db";
import type { MiddlewareHandler } from "hono";

import type { Env } from "../env.ts";
import { HttpError } from "../errors.ts";
import { ClientAddress, isForwarded, networkOf } from "./address.ts";
import { Asked } from "./asked.ts";
import type { Authentication } from "./authentication.ts";
import { Concurrency } from "./concurrency.ts";
import { checkEncoding } from "./encoding.ts";
import { HostCheck, isLoopback } from "./host.ts";
import { OriginCheck } from "./origin.ts";
import { isProbe, isPublic } from "./public-paths.ts";
import { RateLimit } from "./rate-limit.ts";
import { requestIdOf } from "./request-id.ts";

/** What may come in; each has a default that is safe on a loopback address. */
export interface GuardOptions {
  /** Names by which the service may be asked for, beside `localhost` and the address it answers at. */
  allowedHosts?: readonly string[] | undefined;
  /** Origins of pages that may ask, such as `https://dashboard.example`; none when left out. */
  corsOrigins?: readonly string[] | undefined;
  /**
   * Proxies that are believed when they say in `X-Forwarded-For` who asks: addresses, subnets, or `private`
   * for any in a private network; none when left out.
   */
  trustProxy?: readonly string[] | undefined;
  /**
   * How many requests a second are taken from one address and, beside that, with one token; 500 when left
   * out, 0 for any number. Twice as many may come at once. Requests from this machine are not counted, unless
   * a proxy on it passed them on.
   */
  requestsPerSecond?: number | undefined;
  /** Whether every client needs a token, also while there is no user; no when left out. */
  requireToken?: boolean | undefined;
  /** How many requests may be under way at once, half of them of one client elsewhere; 256 when left out. */
  maxConcurrent?: number | undefined;
  /** How many may listen for events at once, half of them one client elsewhere; 2,000 when left out. */
  maxListeners?: number | undefined;
}

const EVENTS = "/v1/events";
const BURST_SECONDS = 2;

/** What stands in front of every route: who asks, from where, and whether that may be. */
export function guard(
  registry: Registry,
  authentication: Authentication,
  options: GuardOptions & { actor?: string | undefined },
): MiddlewareHandler<Env> {
  const hosts = new HostCheck(options.allowedHosts);
  const origins = new OriginCheck(options.corsOrigins);
  const addresses = new ClientAddress(options.trustProxy);
  const perSecond = options.requestsPerSecond ?? 500;
  const rate = { perSecond, burst: perSecond * BURST_SECONDS };
  const limits = perSecond === 0 ? undefined : { address: new RateLimit(rate), token: new RateLimit(rate) };
  const policy = `"default";q=${rate.burst};w=${BURST_SECONDS}`;
  const requests = new Concurrency(options.maxConcurrent ?? 256);
  const listeners = new Concurrency(options.maxListeners ?? 2000);

  function limit(by: RateLimit, key: string, asked: Asked): void {
    const { isAllowed, remaining, waitMs } = by.take(key, performance.now());
    const seconds = Math.ceil(waitMs / 1000);
    // https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (10)
    asked.say("ratelimit-policy", policy);
    asked.say("ratelimit", `"default";r=${remaining};t=${seconds}`);
    if (isAllowed) return;
    throw new HttpError("too_many_requests", `Too many requests. Ask again in ${seconds} s.`, {
      "retry-after": String(seconds),
    });
  }

  return async (c, next) => {
    const asked = new Asked(c);
    const requestId = requestIdOf(asked.header("x-request-id"));
    c.set("requestId", requestId);
    asked.say("x-request-id", requestId);
    asked.say("x-content-type-options", "nosniff");
    hosts.check(asked.host, asked.localAddress);
    origins.check(asked);
    const preflight = origins.preflight(c.req.method, asked);
    if (preflight !== undefined) return preflight;
    checkEncoding(asked);
    const { path } = c.req;
    const address = addresses.find(asked.peer, asked.header("x-forwarded-for"));
    c.set("address", address);
    const isFromHere = (address === "local" || isLoopback(address)) && !isForwarded(asked);
    const isLimited = limits !== undefined && !isProbe(path) && !isFromHere;
    if (isLimited) limit(limits.address, networkOf(address), asked);
    const identity = await authentication.identify(asked, path);
    if (identity?.user) c.set("user", identity.user);
    if (isLimited && identity?.tokenId) limit(limits.token, identity.tokenId, asked);
    const actor = options.actor ?? "http";
    // Who asks was found out since the request came in, and all changes up to then were looked for.
    const asOf = c.req.method === "GET" && !isPublic(path) ? registry.access.lookedAt : undefined;
    c.set("caller", registry.as({ identity, origin: { address, requestId }, actor, asOf }));
    if (isProbe(path)) return next();
    const client = isFromHere ? undefined : (identity?.tokenId ?? networkOf(address));
    const leave = (path === EVENTS ? listeners : requests).enter(client);
    // An answer that is streamed is under way until its last byte is out.
    asked.outgoing?.once("close", leave);
    await next();
    if (asked.outgoing === undefined) leave();
    asked.finish();
  };
}
