import type { Target } from "../env.ts";

/** The query of a request as it was sent, without its `?`; empty where there is none. */
export function queryTextOf(c: Target): string {
  const { url } = c.req;
  const start = url.indexOf("?");
  return start === -1 ? "" : url.slice(start + 1);
}
