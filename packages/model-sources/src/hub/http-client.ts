import type { Readable } from "node:stream";

import { RegistryError, isRegistryError } from "@cortex/model-db";
import { EnvHttpProxyAgent, type Dispatcher } from "undici";

import { bareHost, checkHost, guardedConnector } from "./address-guard.ts";
import { DirectConnection } from "./direct-connection.ts";
import { describeFailure, isWrongCertificate } from "./network-failure.ts";
import { DEFAULT_RETRIES, retryAfterOf, waitToRetry, type Retries } from "./retries.ts";

const MAX_HOPS = 8;
const PROXY_VARIABLES = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"];
// What is not set names none.
const PROXY_URL = /^$|^(?:https?|socks5?):\/\/[^\s/]/i;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const WORTH_RETRYING = new Set([408, 425, 429, 500, 502, 503, 504]);

/** What goes with every request. */
export const COMMON_HEADERS: Readonly<Record<string, string>> = {
  "user-agent": "cortex-model-registry",
  // A hash is of what a file is, and not of how it was packed.
  "accept-encoding": "identity",
};

export interface HttpClientOptions {
  /** Sent to the origin of {@link tokenUrl}, and nowhere else. */
  readonly token?: string | undefined;
  readonly tokenUrl: string;
  /** Hosts that may be reached though their address is not public. */
  readonly privateHosts?: readonly string[] | undefined;
  readonly retries?: Partial<Retries> | undefined;
  /** How long a server may be silent. */
  readonly stallTimeoutMs?: number | undefined;
}

export interface HttpRequest {
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Headers;
  /** Must be read, or discarded. */
  readonly body: Readable;
  /** Reads no more of it; the connection is kept where little is left. */
  discard(): void;
  /** Where it came from in the end. */
  readonly url: string;
  /** What the first server said, which for a file of a hub knows the commit and the hash. */
  readonly firstHeaders: Headers;
}

/**
 * Asks servers for what a reference or a redirect names: the token goes to one origin only, addresses that
 * are not public are refused, redirects are bounded, and what may pass is tried again. Proxies are those of
 * `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.
 */
export class HttpClient implements AsyncDisposable {
  readonly #dispatcher: Dispatcher;
  readonly #token: string | undefined;
  readonly #tokenOrigin: string;
  readonly #privateHosts: ReadonlySet<string>;
  readonly retries: Retries;
  /** How long a server may be silent. */
  readonly stallTimeoutMs: number;
  readonly #mayUseProxy: boolean;

  constructor({ token, tokenUrl, privateHosts = [], retries, stallTimeoutMs = 30_000 }: HttpClientOptions) {
    this.#token = token;
    this.#tokenOrigin = new URL(tokenUrl).origin;
    this.#privateHosts = new Set(privateHosts.map(bareHost));
    this.stallTimeoutMs = stallTimeoutMs;
    this.#mayUseProxy = PROXY_VARIABLES.some((name) => (process.env[name] ?? "") !== "");
    this.retries = { ...DEFAULT_RETRIES, ...retries };
    this.#dispatcher = throughProxies({
      connect: guardedConnector(this.#privateHosts),
      headersTimeout: stallTimeoutMs,
      bodyTimeout: stallTimeoutMs,
    });
  }

  /**
   * Asks, follows redirects, and tries again what may pass.
   *
   * @returns an answer with any status; that of the last try.
   * @throws RegistryError `source_unreachable` where there is no answer, `permission_denied` for an address
   *   that is not public; the signal's reason.
   */
  async request(url: string, request: HttpRequest = {}): Promise<HttpResponse> {
    for (let tried = 1; ; tried++) {
      const isLast = tried > this.retries.count;
      let retryAfter: string | null = null;
      try {
        const response = await this.#follow(url, request);
        if (isLast || !WORTH_RETRYING.has(response.status)) return response;
        retryAfter = retryAfterOf(response.headers);
        response.discard();
      } catch (error) {
        request.signal?.throwIfAborted();
        if (isRegistryError(error)) throw error;
        if (isLast || isWrongCertificate(error)) throw unreachable(url, error);
      }
      await waitToRetry(this.retries, tried, retryAfter, request.signal);
    }
  }

  async #follow(start: string, request: HttpRequest): Promise<HttpResponse> {
    let url = new URL(start);
    let firstHeaders: Headers | undefined;
    let mayCarryToken = true;
    const seen = new Set<string>();
    for (let hops = 0; ; hops++) {
      checkHost(url, this.#privateHosts);
      mayCarryToken &&= url.origin === this.#tokenOrigin;
      const response = await this.#send(url, request, mayCarryToken);
      firstHeaders ??= response.headers;
      const location = response.headers.get("location");
      if (!REDIRECTS.has(response.status) || location === null) {
        return { ...response, url: url.href, firstHeaders };
      }
      response.discard();
      seen.add(url.href);
      url = nextHop(url, location);
      if (seen.has(url.href)) throw tooFar(start, `${shown(url)} leads back to itself`);
      if (hops === MAX_HOPS) throw tooFar(start, `it was sent on more than ${MAX_HOPS} times`);
    }
  }

  async #send(
    url: URL,
    { method = "GET", headers, body, signal }: HttpRequest,
    withToken: boolean,
  ): Promise<Omit<HttpResponse, "url" | "firstHeaders">> {
    const sent: Record<string, string> = { ...COMMON_HEADERS, ...headers };
    if (withToken && this.#token !== undefined) sent["authorization"] = `Bearer ${this.#token}`;
    const answer = await this.#dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers: sent,
      body: body ?? null,
      signal: signal ?? null,
    });
    const { statusCode, body: answered } = answer;
    // Destroying it would be an error that nobody listens to.
    const discard = (): void => void answered.dump().catch(() => undefined);
    return { status: statusCode, headers: toHeaders(answer.headers), body: answered, discard };
  }

  /**
   * Opens a connection for parts of a file, which carries no token.
   *
   * @returns `undefined` where it would have to go through a proxy.
   */
  async openDirect(url: URL): Promise<DirectConnection | undefined> {
    if (this.#mayUseProxy) return undefined;
    checkHost(url, this.#privateHosts);
    return DirectConnection.open(url, this.#privateHosts, this.stallTimeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispatcher.destroy();
  }
}

/** @throws RegistryError `invalid_input` where a variable names a proxy as none can be named. */
function throughProxies(options: EnvHttpProxyAgent.Options): Dispatcher {
  try {
    return new EnvHttpProxyAgent(options);
  } catch (error) {
    const wrong = PROXY_VARIABLES.filter((name) => !PROXY_URL.test(process.env[name] ?? ""));
    if (wrong.length === 0) throw error;
    // A proxy's URL can hold a password.
    throw new RegistryError(
      "invalid_input",
      `${wrong.join(", ")} must be the URL of a proxy, such as http://proxy.example.org:3128. Correct it, or unset it.`,
      { cause: error },
    );
  }
}

/** That a server did not answer, or not with what was asked for. */
export function unreachable(url: string, cause: unknown): RegistryError {
  const asked = new URL(url);
  const { why, next } = describeFailure(cause, asked.hostname);
  return new RegistryError("source_unreachable", `${shown(asked)} does not answer: ${why}. ${next}`, {
    cause,
  });
}

/** A URL for people: without what may be secret in it, such as a signature. */
export function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

function nextHop(from: URL, location: string): URL {
  const to = URL.parse(location, from.href);
  if (to === null || !/^https?:$/.test(to.protocol)) {
    throw tooFar(from.href, "it was sent on to something that is no http or https URL");
  }
  if (from.protocol === "https:" && to.protocol === "http:") {
    throw tooFar(from.href, `it was sent on from https to ${shown(to)}, where anybody could change it`);
  }
  to.username = "";
  to.password = "";
  return to;
}

function tooFar(url: string, why: string): RegistryError {
  return new RegistryError(
    "source_unreachable",
    `${shown(new URL(url))} cannot be fetched: ${why}. Tell whoever runs that server.`,
  );
}

function toHeaders(raw: Record<string, string | string[] | undefined>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(raw)) {
    for (const one of Array.isArray(value) ? value : [value ?? ""]) headers.append(name, one);
  }
  return headers;
}
