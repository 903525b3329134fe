import type { RequestContext } from "../env.ts";

/**
 * The answer to a change: what became of the thing or, where the client prefers `return=minimal`
 * (RFC 7240), no body: 204 in place of 200, the same status otherwise.
 */
export function answerChange(
  c: RequestContext,
  body: object,
  status: 200 | 201,
  headers: Readonly<Record<string, string>> = {},
): Response {
  if (!prefersMinimal(c.req.header("prefer"))) return c.json(body, status, { ...headers, vary: "Prefer" });
  return c.body(null, status === 200 ? 204 : status, {
    ...headers,
    vary: "Prefer",
    "preference-applied": "return=minimal",
  });
}

function prefersMinimal(header: string | undefined): boolean {
  if (header === undefined) return false;
  // The first of several that contradict each other counts.
  const wanted = header
    .split(",")
    .map((preference) => /^\s*return\s*=\s*"?([a-z]+)"?\s*(?:;|$)/i.exec(preference)?.[1]?.toLowerCase())
    .find((word) => word !== undefined);
  return wanted === "minimal";
}
