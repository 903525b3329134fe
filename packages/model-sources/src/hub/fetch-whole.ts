import type { Readable } from "node:stream";

import { isRegistryError } from "@cortex/model-db";

import { unreachable, type HttpClient, type HttpResponse } from "./http-client.ts";
import { failureOf } from "./hub-failure.ts";
import { waitToRetry } from "./retries.ts";

const MAX_BYTES = 32 * 1024 * 1024;
// However slowly a server goes on answering, or with however many pages.
const TIMEOUT_MS = 120_000;
const MAX_ANSWERS = 1000;

/**
 * A `fetch` for one thing that is small, for the official client among others, which may ask for it in pages: whole
 * answers, or an error. Whatever a server says, that ends.
 *
 * @param maxBytes of all answers together; more is refused.
 * @returns a `fetch` that throws RegistryError for every status that is no success.
 */
export function fetchWhole(
  http: HttpClient,
  signal: AbortSignal | undefined,
  maxBytes: number = MAX_BYTES,
): typeof fetch {
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  let [answers, leftBytes] = [0, maxBytes];
  return async (input, init = {}) => {
    const url = input instanceof Request ? input.url : input.toString();
    const { authorization: _, ...headers } = Object.fromEntries(new Headers(init.headers ?? {}));
    const request = {
      method: init.method === "POST" ? ("POST" as const) : ("GET" as const),
      headers,
      ...(typeof init.body === "string" && { body: init.body }),
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    };
    for (let tried = 1; ; tried++) {
      try {
        const response = await http.request(url, request);
        if (response.status < 200 || response.status > 299) throw refusal(url, response);
        const body = await wholeBody(response.body, leftBytes);
        if (body === undefined) throw failureOf(url, response, `it answers with more than ${maxBytes} bytes`);
        if (++answers > MAX_ANSWERS) throw failureOf(url, response, `it has more than ${MAX_ANSWERS} pages`);
        leftBytes -= body.length;
        return new Response(body, { status: response.status, headers: response.headers });
      } catch (error) {
        signal?.throwIfAborted();
        if (isRegistryError(error)) throw error;
        if (deadline.aborted || tried > http.retries.count) throw unreachable(url, error);
        // The answer broke off.
        await waitToRetry(http.retries, tried, null, request.signal);
      }
    }
  };
}

function refusal(url: string, response: HttpResponse): Error {
  response.discard();
  return failureOf(url, response);
}

/** @returns `undefined` where there is more. */
async function wholeBody(body: Readable, maxBytes: number): Promise<Buffer<ArrayBuffer> | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
