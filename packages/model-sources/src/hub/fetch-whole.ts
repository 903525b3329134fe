import type { HttpClient } from "./http-client.ts";
import { failureOf } from "./hub-failure.ts";

const MAX_BYTES = 32 * 1024 * 1024;
// However slowly a server goes on answering.
const TIMEOUT_MS = 120_000;

/**
 * A `fetch` for what is small, for the official client among others: the whole answer, or an error.
 *
 * @param maxBytes more is refused.
 * @returns a `fetch` that throws RegistryError for every status that is no success.
 */
export function fetchWhole(
  http: HttpClient,
  signal: AbortSignal | undefined,
  maxBytes: number = MAX_BYTES,
): typeof fetch {
  return async (input, init = {}) => {
    const url = input instanceof Request ? input.url : input.toString();
    const { authorization: _, ...headers } = Object.fromEntries(new Headers(init.headers ?? {}));
    const deadline = AbortSignal.timeout(TIMEOUT_MS);
    const response = await http.request(url, {
      method: init.method === "POST" ? "POST" : "GET",
      headers,
      ...(typeof init.body === "string" && { body: init.body }),
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
    if (response.status < 200 || response.status > 299) {
      response.body.destroy();
      throw failureOf(url, response);
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw failureOf(url, response, `its answer is larger than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return new Response(Buffer.concat(chunks), { status: response.status, headers: response.headers });
  };
}
