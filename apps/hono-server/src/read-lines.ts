import type { RequestContext } from "./env.ts";
import { checkMediaType, decodeUtf8 } from "./read-body.ts";
import { MAX_BODY_BYTES, readChunks, tooLarge } from "./read-bytes.ts";

const NDJSON_TYPES: readonly string[] = ["application/x-ndjson", "application/jsonl"];
const LINE_FEED = 0x0a;

/**
 * The lines of a body of NDJSON as they come, without those that are empty; one line is held at a time,
 * and the body may be of any length.
 *
 * @throws HttpError `unsupported_media_type`, `request_timeout`, `malformed_request`; `payload_too_large`
 *   for a line of more than 1 MiB.
 * @throws RegistryError `invalid_input` for a line that is not UTF-8.
 */
export async function* readLines(c: RequestContext): AsyncGenerator<string, undefined> {
  checkMediaType(c.req.header("content-type"), NDJSON_TYPES);
  let begun: Uint8Array[] = [];
  let begunBytes = 0;
  for await (const chunk of readChunks(c)) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      const line = takeLine(chunk.subarray(start, end));
      if (line !== "") yield line;
      start = end + 1;
    }
    hold(chunk.subarray(start));
  }
  const last = takeLine(new Uint8Array());
  if (last !== "") yield last;

  function hold(part: Uint8Array): void {
    begunBytes += part.length;
    if (begunBytes > MAX_BODY_BYTES) throw tooLarge(MAX_BODY_BYTES, "line");
    if (part.length > 0) begun.push(part);
  }

  function takeLine(end: Uint8Array): string {
    hold(end);
    const line = decodeUtf8(begun.length === 1 ? begun[0]! : Buffer.concat(begun));
    begun = [];
    begunBytes = 0;
    return line.trim();
  }
}
