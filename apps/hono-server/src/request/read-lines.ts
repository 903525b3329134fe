import type { RequestContext } from "../env.ts";
import { checkMediaType } from "./read-body.ts";
import { MAX_BODY_BYTES, readChunks, tooLarge } from "./read-bytes.ts";

const NDJSON_TYPES: readonly string[] = ["application/x-ndjson", "application/jsonl"];
const LINE_FEED = 0x0a;

/** A line of a body. */
export interface Line {
  /** From 1; empty lines count. */
  readonly number: number;
  readonly bytes: Uint8Array;
}

/**
 * The lines of a body of NDJSON as they come, without those that are empty; one line is held at a time,
 * and the body may be of any length.
 *
 * @throws HttpError `unsupported_media_type`, `request_timeout`, `malformed_request`; `payload_too_large`
 *   for a line of more than 1 MiB.
 */
export async function* readLines(c: RequestContext): AsyncGenerator<Line, undefined> {
  checkMediaType(c.req.header("content-type"), NDJSON_TYPES);
  let begun: Uint8Array[] = [];
  let begunBytes = 0;
  let number = 0;
  for await (const chunk of readChunks(c)) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      const line = takeLine(chunk.subarray(start, end));
      if (!isBlank(line.bytes)) yield line;
      start = end + 1;
    }
    hold(chunk.subarray(start));
  }
  const last = takeLine(new Uint8Array());
  if (!isBlank(last.bytes)) yield last;

  function hold(part: Uint8Array): void {
    begunBytes += part.length;
    if (begunBytes > MAX_BODY_BYTES) throw tooLarge(MAX_BODY_BYTES, "line");
    if (part.length > 0) begun.push(part);
  }

  function takeLine(end: Uint8Array): Line {
    hold(end);
    const bytes = begun.length === 1 ? begun[0]! : Buffer.concat(begun);
    begun = [];
    begunBytes = 0;
    number += 1;
    return { number, bytes };
  }
}

// Of the blanks that JSON knows.
function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
