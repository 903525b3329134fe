import { createHash } from "node:crypto";

import type { Repositories } from "@cortex/model-db";

import type { RequestContext } from "../env.ts";
import { HttpError } from "../errors.ts";
import { invalidInput } from "../request/invalid-input.ts";
import { queryTextOf } from "../request/query-text.ts";

// By who asks and the key. A second server over the same registry waits for the first one's transaction instead.
const underWay = new Set<string>();

/**
 * The key of a request that is to be done once, however often it is sent (draft-ietf-httpapi-idempotency-key-header);
 * `undefined` where it has none. It is the request's own until it is disposed of.
 */
export class IdempotencyKey implements Disposable {
  readonly #key: string;
  readonly #place: string;
  readonly #request: string;

  private constructor(key: string, place: string, request: string) {
    this.#key = key;
    this.#place = place;
    this.#request = request;
    underWay.add(place);
  }

  /**
   * @throws RegistryError `invalid_input`.
   * @throws HttpError `idempotency_key_in_use` while a request with the same key is under way.
   */
  static of(c: RequestContext): IdempotencyKey | undefined {
    const header = c.req.header("idempotency-key");
    if (header === undefined) return undefined;
    // A string of RFC 9651 or, as most clients write it, without quotes.
    const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
    if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw invalidInput("Idempotency-Key", "Idempotency-Key must be 1 to 255 visible ASCII characters.");
    }
    const place = `${c.req.header("authorization") ?? ""}\n${key}`;
    if (underWay.has(place)) {
      const message = "A request with this Idempotency-Key is under way. Ask again when it is done.";
      throw new HttpError("idempotency_key_in_use", message, { "retry-after": "1" });
    }
    return new IdempotencyKey(key, place, `${c.req.method} ${c.req.path}?${queryTextOf(c)}\n`);
  }

  /**
   * What was answered to a part of the request or, the first time, what `work` answers; that is kept in the
   * same transaction, so that both are there or neither.
   *
   * @param part from 0.
   * @param asked the part of the request; the next time it must be the same.
   * @throws HttpError `idempotency_key_reused` where it is another.
   */
  async once(
    { idempotentAnswers }: Repositories,
    part: number,
    asked: string,
    work: () => Promise<string>,
  ): Promise<{ answer: string; isReplayed: boolean }> {
    const requestSha256 = createHash("sha256").update(this.#request).update(asked).digest("hex");
    const kept = await idempotentAnswers.find(this.#key, part);
    if (kept !== undefined && kept.requestSha256 !== requestSha256) {
      throw new HttpError(
        "idempotency_key_reused",
        "Another request was made with this Idempotency-Key. Each request needs one of its own.",
      );
    }
    if (kept !== undefined) return { answer: kept.answer, isReplayed: true };
    const answer = await work();
    await idempotentAnswers.keep(this.#key, part, { requestSha256, answer });
    return { answer, isReplayed: false };
  }

  [Symbol.dispose](): void {
    underWay.delete(this.#place);
  }
}
