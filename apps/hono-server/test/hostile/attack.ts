/** A request that means harm. */
export interface Attack {
  readonly name: string;
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Whether it may be answered with a status. */
  readonly allows: (status: number) => boolean;
}

/** Refused by the client's fault: 400 to 499. */
export const refused = (status: number): boolean => status >= 400 && status < 500;

/** Answered, or refused by the client's fault or because too much is under way. */
export const harmless = (status: number): boolean =>
  (status >= 200 && status < 300) || status === 304 || status === 503 || refused(status);

/** A request from its parts; `\xNN` in them is the byte NN. */
export function toBytes(
  method: string,
  target: string,
  headers: readonly string[] = [],
  body: string | Uint8Array = "",
): Uint8Array {
  const content = typeof body === "string" ? Buffer.from(body, "latin1") : body;
  const length = content.length > 0 ? [`Content-Length: ${content.length}`] : [];
  const host = headers.some((header) => /^host\b/i.test(header)) ? [] : ["Host: localhost"];
  const head = [`${method} ${target} HTTP/1.1`, ...host, "Connection: close", ...headers, ...length, "", ""];
  return Buffer.concat([Buffer.from(head.join("\r\n"), "latin1"), content]);
}
