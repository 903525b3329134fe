import type { Target } from "../env.ts";
import { queryTextOf } from "../request/query-text.ts";

// Node refuses answers whose headers are larger than 16 KiB; such a cursor stands in the body alone.
const MAX_CURSOR_LENGTH = 4096;

/**
 * The `Link` header that leads to the next page (RFC 8288): the same question with another cursor. It names
 * no host, so it is right behind any proxy.
 *
 * @param nextCursor `null` on the last page, which has no such header.
 */
export function nextLink(c: Target, nextCursor: string | null): Record<string, string> {
  if (nextCursor === null || nextCursor.length > MAX_CURSOR_LENGTH) return {};
  const query = new URLSearchParams(queryTextOf(c));
  query.set("cursor", nextCursor);
  return { link: `<${c.req.path}?${query.toString()}>; rel="next"` };
}
