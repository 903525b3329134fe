import type { IncomingMessage } from "node:http";

import type { RequestContext } from "../env.ts";
import { HttpError } from "../errors.ts";

/** How large a body of JSON, or a line of a body of many, may be. */
export const MAX_BODY_BYTES = 1_048_576;

/** How long a client may keep a request waiting for a body of JSON, or for more of one of many lines. */
const MAX_WAIT_MS = 30_000;

/**
 * All of a body, counted while it comes.
 *
 * @throws HttpError `payload_too_large`, `request_timeout`; `malformed_request` where the body ends early.
 */
export async function readBytes(c: RequestContext, maxBytes: number = MAX_BODY_BYTES): Promise<Uint8Array> {
  const length = c.req.header("content-length");
  if (length !== undefined && Number(length) > maxBytes) throw tooLarge(maxBytes);
  // Node's parser holds a client to the length that it says.
  if (length !== undefined && c.env.incoming !== undefined) return inTime(c.req.raw.bytes());
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of readChunks(c)) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

/**
 * All of a body of which Node knows how long it is, as Node reads it.
 *
 * @throws HttpError `request_timeout`; `malformed_request` where the body ends early.
 */
export function readIncoming(incoming: IncomingMessage): Uint8Array | Promise<Uint8Array> {
  // Nearly all come with their headers, and what is there need not be waited for.
  const { readableLength } = incoming;
  if (readableLength > 0 && readableLength === Number(incoming.headers["content-length"])) {
    return incoming.read() as Uint8Array;
  }
  return new Promise((resolve, reject) => {
    if (incoming.destroyed) {
      reject(cutShort());
      return;
    }
    const chunks: Uint8Array[] = [];
    const timer = setTimeout(() => reject(tooLate()), MAX_WAIT_MS);
    incoming.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    incoming.on("end", () => {
      clearTimeout(timer);
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    });
    incoming.on("error", () => {
      clearTimeout(timer);
      reject(cutShort());
    });
  });
}

/**
 * A body as it comes, piece by piece; one piece is held at a time.
 *
 * @throws HttpError `request_timeout`; `malformed_request` where the body ends early.
 */
export async function* readChunks(c: RequestContext): AsyncGenerator<Uint8Array, undefined> {
  const reader = (c.req.raw.body as ReadableStream<Uint8Array> | null)?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await inTime(reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    // Whoever stops early is not told what follows.
    reader.cancel().catch(() => {});
  }
}

async function inTime<T>(next: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(tooLate()), MAX_WAIT_MS);
  });
  try {
    return await Promise.race([next, late]);
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw cutShort();
  } finally {
    clearTimeout(timer);
  }
}

function tooLate(): HttpError {
  return new HttpError("request_timeout", "The body did not come to its end in time.", {
    connection: "close",
  });
}

function cutShort(): HttpError {
  return new HttpError("malformed_request", "The body ended before its time.", { connection: "close" });
}

/** Refuses a body, or a part of one. */
export function tooLarge(maxBytes: number, what = "body"): HttpError {
  return new HttpError(
    "payload_too_large",
    `The ${what} is larger than ${maxBytes.toLocaleString("en")} bytes.`,
    // What is still to come is not read.
    { connection: "close" },
  );
}
