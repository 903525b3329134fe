import type { RequestContext } from "../env.ts";
import type { Asked } from "../guard/asked.ts";
import type { Answer } from "./answer.ts";
import { toResponse } from "./to-response.ts";

/**
 * The answer to a change: the JSON of what became of the thing or, where the client prefers `return=minimal`
 * (RFC 7240), no body: 204 in place of 200, the same status otherwise.
 */
export function changeAnswer(
  asked: Pick<Asked, "header">,
  json: string,
  status: 200 | 201,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  if (!prefersMinimal(asked.header("prefer"))) {
    const all = { ...headers, vary: "Prefer", "content-type": "application/json" };
    return { status, headers: all, body: json };
  }
  return {
    status: status === 200 ? 204 : status,
    headers: { ...headers, vary: "Prefer", "preference-applied": "return=minimal" },
    body: null,
  };
}

/** The same, for Hono. */
export function answerChange(
  c: RequestContext,
  json: string,
  status: 200 | 201,
  headers?: Readonly<Record<string, string>>,
): Response {
  return toResponse(changeAnswer(c.req, json, status, headers));
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
