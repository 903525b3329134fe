import type { Repositories } from "@cortex/model-db";

import type { RequestContext } from "../env.ts";
import { IdempotencyKey } from "./idempotency-key.ts";

interface KeptResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/**
 * Answers a creation. With an `Idempotency-Key` it is done once, and whoever asks again gets the first
 * answer, marked `Idempotent-Replayed`; what was refused changed nothing, and may be asked again.
 *
 * @param asked the body, checked.
 * @param work creates, by the repositories that it is given, and answers.
 * @throws HttpError `idempotency_key_in_use`, `idempotency_key_reused`; and what `work` throws.
 */
export async function answerOnce(
  c: RequestContext,
  asked: object,
  work: (repositories: Pick<Repositories, "models" | "runs">) => Promise<Response>,
): Promise<Response> {
  const caller = c.get("caller");
  using key = IdempotencyKey.of(c);
  if (key === undefined) return work(caller);
  const { answer, isReplayed } = await caller.transaction((repositories) =>
    key.once(repositories, 0, JSON.stringify(asked), async () => toText(await work(repositories))),
  );
  const { status, headers, body } = JSON.parse(answer) as KeptResponse;
  const all = isReplayed ? { ...headers, "idempotent-replayed": "true" } : headers;
  return body === null ? c.body(null, status as 201, all) : c.body(body, status as 201, all);
}

async function toText(response: Response): Promise<string> {
  const body = response.body === null ? null : await response.text();
  // What belongs to the request and not to the answer is written anew each time.
  const names = ["content-type", "etag", "location", "preference-applied", "vary"];
  const headers = Object.fromEntries(
    names.flatMap((name) => {
      const value = response.headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
  return JSON.stringify({ status: response.status, headers, body } satisfies KeptResponse);
}
