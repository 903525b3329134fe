import type { ServerResponse } from "node:http";

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(200, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

/** Answers with a failure as the hub words it: a status, a code for programs, a text for people. */
export function sendFailure(
  response: ServerResponse,
  status: number,
  code: string | undefined,
  message: string,
): void {
  const text = JSON.stringify({ error: message });
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "x-error-message": message,
    ...(code !== undefined && { "x-error-code": code }),
  });
  response.end(text);
}
