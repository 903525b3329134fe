import { HttpError } from "../errors.ts";
import type { Asked } from "./asked.ts";

/**
 * Refuses bodies that are compressed: a small one can become a large one, and nobody needs it here.
 *
 * @throws HttpError `unsupported_media_type`.
 */
export function checkEncoding(asked: Asked): void {
  const content = asked.header("content-encoding");
  const transfer = asked.header("transfer-encoding");
  if (
    (content === undefined || isSame(content, "identity")) &&
    (transfer === undefined || isSame(transfer, "chunked"))
  )
    return;
  throw new HttpError("unsupported_media_type", "The body is compressed. Send it as it is.", {
    "accept-encoding": "identity",
  });
}

function isSame(header: string, word: string): boolean {
  return header.trim().toLowerCase() === word;
}
