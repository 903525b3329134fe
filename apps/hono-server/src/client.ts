import createFetchClient, { type Client as FetchClient } from "openapi-fetch";

import type { Paths } from "./paths.ts";

/** What a client is made with. */
export interface ClientOptions {
  /** Where the service is: `http://127.0.0.1:39281`. */
  readonly url: string;
  /** An access token, `ctx_…`; needed where the registry has users. */
  readonly token?: string | undefined;
  /** In place of the platform's own. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
}

/** A client that knows each route's parameters, bodies and answers; made by {@link createClient}. */
export type Client = FetchClient<Paths>;

/**
 * A typed client of the service, for Node and browsers. Parameters are encoded: an id may hold anything.
 *
 * @returns methods named after those of HTTP. Each answers with `data`, or with `error` where it failed.
 * @example
 * ```ts
 * const client = createClient({ url: "http://127.0.0.1:39281" });
 * const { data, error } = await client.GET("/v1/models/{model_id}", {
 *   params: { path: { model_id: "tinyllama:1b-gguf" } },
 * });
 * error?.error.code; // "model_not_found"
 * ```
 */
export function createClient({ url, token, fetch }: ClientOptions): Client {
  return createFetchClient<Paths>({
    baseUrl: url,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    // A stream is sent while it is read.
    bodySerializer: (body: unknown) =>
      typeof body === "string" || body instanceof ReadableStream ? body : JSON.stringify(body),
    ...(fetch === undefined ? {} : { fetch }),
  });
}
