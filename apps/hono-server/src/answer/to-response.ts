import type { Answer } from "./answer.ts";
import { JsonText } from "./json-text.ts";

/** An answer as Hono answers: plain headers go to Node as they are, the web's `Headers` would cost more than a read. */
export function toResponse({ status, headers, body }: Answer): Response {
  return new Response(body instanceof JsonText ? body.toString() : body, { status, headers });
}
