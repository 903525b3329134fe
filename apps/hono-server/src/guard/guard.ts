import type { GuardedRegistry, Registry } from "@cortex/model-db";

import { HttpError } from "../errors.ts";
import { ClientAddress, isForwarded, networkOf } from "./address.ts";
import type { Asked } from "./asked.ts";
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

const EVENTS = /^\/v1\/(?:events|transfers\/\d+\/events)$/;
const BURST_SECONDS = 2;

/** What stands in front of every route: who asks, from where, and whether that may be. */
export class Guard {
  readonly #registry: Registry;
  readonly #authentication: Authentication;
  readonly #actor: string;
  readonly #hosts: HostCheck;
  readonly #origins: OriginCheck;
  readonly #addresses: ClientAddress;
  readonly #limits: { readonly address: RateLimit; readonly token: RateLimit } | undefined;
  readonly #policy: string;
  readonly #requests: Concurrency;
  readonly #listeners: Concurrency;

  constructor(
    registry: Registry,
    authentication: Authentication,
    options: GuardOptions & { actor?: string | undefined },
  ) {
    this.#registry = registry;
    this.#authentication = authentication;
    this.#actor = options.actor ?? "http";
    this.#hosts = new HostCheck(options.allowedHosts);
    this.#origins = new OriginCheck(options.corsOrigins);
    this.#addresses = new ClientAddress(options.trustProxy);
    const perSecond = options.requestsPerSecond ?? 500;
    const rate = { perSecond, burst: perSecond * BURST_SECONDS };
    this.#limits = perSecond === 0 ? undefined : { address: new RateLimit(rate), token: new RateLimit(rate) };
    this.#policy = `"default";q=${rate.burst};w=${BURST_SECONDS}`;
    this.#requests = new Concurrency(options.maxConcurrent ?? 256);
    this.#listeners = new Concurrency(options.maxListeners ?? 2000);
  }

  /**
   * Lets a request in, and counts it until its answer is out. What it finds out about it on the way, it notes
   * in it, also where it refuses it.
   *
   * @returns the registry as whoever asks may use it; `undefined` where a browser only asks whether it may ask.
   * @throws HttpError, RegistryError for whoever may not come in.
   */
  async admit(asked: Asked): Promise<GuardedRegistry | undefined> {
    const { method, path } = asked;
    const requestId = requestIdOf(asked.header("x-request-id"));
    asked.requestId = requestId;
    asked.say("x-request-id", requestId);
    asked.say("x-content-type-options", "nosniff");
    const address = this.addressOf(asked);
    asked.address = address;
    this.#hosts.check(asked.host, asked.localAddress);
    this.#origins.check(asked);
    if (this.#origins.isPreflight(asked)) return undefined;
    checkEncoding(asked);
    const isFromHere = (address === "local" || isLoopback(address)) && !isForwarded(asked);
    const limits = isProbe(path) || isFromHere ? undefined : this.#limits;
    if (limits !== undefined) this.#limit(limits.address, networkOf(address), asked);
    // One look for both: who asks, and what there is to read.
    const asOf = isPublic(path) ? undefined : asked.look(this.#changeCounter);
    const identified = this.#authentication.identify(asked, path, asOf);
    // Who brings a token that is in use waits for nothing.
    const identity = identified instanceof Promise ? await identified : identified;
    if (identity?.user) asked.user = identity.user;
    if (limits !== undefined && identity?.tokenId) this.#limit(limits.token, identity.tokenId, asked);
    if (!isProbe(path)) {
      const client = isFromHere ? undefined : (identity?.tokenId ?? networkOf(address));
      const leave = (EVENTS.test(path) ? this.#listeners : this.#requests).enter(client);
      // An answer that is streamed is under way until its last byte is out.
      asked.whenOut(leave);
    }
    // Who only reads leaves no trace in the history.
    if (method === "GET") return this.#registry.as({ identity, actor: this.#actor, asOf });
    return this.#registry.as({ identity, origin: { address, requestId }, actor: this.#actor });
  }

  /** Where a request comes from: an IP address, or `local` for a unix socket. */
  addressOf(asked: Pick<Asked, "peer" | "header">): string {
    return this.#addresses.find(asked.peer, asked.header("x-forwarded-for"));
  }

  readonly #changeCounter = (): number => this.#registry.changeCounter();

  #limit(by: RateLimit, key: string, asked: Asked): void {
    const { isAllowed, remaining, waitMs } = by.take(key, performance.now());
    const seconds = Math.ceil(waitMs / 1000);
    // https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (10)
    asked.say("ratelimit-policy", this.#policy);
    asked.say("ratelimit", `"default";r=${remaining};t=${seconds}`);
    if (isAllowed) return;
    throw new HttpError("too_many_requests", `Too many requests. Ask again in ${seconds} s.`, {
      "retry-after": String(seconds),
    });
  }
}
