import { expect } from "vitest";

import type { RawAnswer } from "../raw-request.ts";

/** A line of the log. */
export interface Logged {
  readonly level: string;
  readonly fields: Record<string, unknown>;
}

/** An answer without the name of its request: one that the service gives is another each time, and may be longer. */
export function withoutIds({ headers, ...answer }: RawAnswer): object {
  const { date: _, "x-request-id": id = "", "content-length": length, ...rest } = headers;
  if (length !== undefined && answer.body !== "") expect(Number(length)).toBe(Buffer.byteLength(answer.body));
  return { ...answer, body: id === "" ? answer.body : answer.body.replaceAll(id, "<id>"), headers: rest };
}

/** A line of the log without when it was written, and of which request. */
export function withoutTimes({ level, fields }: Logged): object {
  const { duration_ms: _, request_id: __, ...rest } = fields;
  return { level, rest };
}
