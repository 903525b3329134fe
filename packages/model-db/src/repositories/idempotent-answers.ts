import { query, type Query } from "../database/query.ts";
import { parseInteger, parseText } from "../domain/input.ts";
import { invalidInput } from "../errors.ts";
import type { IdempotentAnswerTable } from "../schema/idempotent-answer.ts";
import type { Scope } from "./scope.ts";

/** A part of an answer, and the SHA-256 of what was asked. */
export interface IdempotentAnswer {
  readonly requestSha256: string;
  readonly answer: string;
}

type Place = Pick<IdempotentAnswerTable, "actor" | "idempotency_key" | "part">;

const idempotentAnswer: Query<Place & { since: number }, IdempotentAnswerTable> = query(
  "idempotent answer",
  ({ db, p }) =>
    db
      .selectFrom("idempotent_answer")
      .selectAll()
      .where("actor", "=", p("actor"))
      .where("idempotency_key", "=", p("idempotency_key"))
      .where("part", "=", p("part"))
      .where("kept_at", ">", p("since")),
);
const insertAnswer: Query<IdempotentAnswerTable, unknown> = query("idempotent answer insert", ({ db, p }) =>
  db.insertInto("idempotent_answer").values({
    actor: p("actor"),
    idempotency_key: p("idempotency_key"),
    part: p("part"),
    request_sha256: p("request_sha256"),
    answer: p("answer"),
    kept_at: p("kept_at"),
  }),
);
const forgetAnswers: Query<{ since: number }, unknown> = query("idempotent answers forget", ({ db, p }) =>
  db.deleteFrom("idempotent_answer").where("kept_at", "<=", p("since")),
);

const KEPT_MS = 24 * 3600 * 1000;
const MAX_KEY_LENGTH = 255;

/**
 * What a service answered to requests that carry a key (draft-ietf-httpapi-idempotency-key-header), for a
 * day. Kept in the transaction of the change, an answer is there exactly if the change is. Each actor has
 * keys of their own.
 */
export class IdempotentAnswers {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /**
   * A part of what was answered under a key; `undefined` where nothing was, or more than a day ago.
   *
   * @param part from 0.
   * @throws RegistryError `invalid_input`.
   */
  async find(key: string, part: number): Promise<IdempotentAnswer | undefined> {
    const row = await this.#scope.reader.get(idempotentAnswer, {
      ...this.#placeOf(key, part),
      since: Date.now() - KEPT_MS,
    });
    return row && { requestSha256: row.request_sha256, answer: row.answer };
  }

  /**
   * Keeps a part of an answer, and forgets what is older than a day.
   *
   * @throws RegistryError `invalid_input`.
   */
  async keep(key: string, part: number, { requestSha256, answer }: IdempotentAnswer): Promise<void> {
    const place = this.#placeOf(key, part);
    const now = Date.now();
    await this.#scope.write(async (session) => {
      await session.run(forgetAnswers, { since: now - KEPT_MS });
      await session.run(insertAnswer, { ...place, request_sha256: requestSha256, answer, kept_at: now });
    });
  }

  #placeOf(key: unknown, part: number): Place {
    const parsed = parseText("idempotency_key", key);
    if (parsed === null || parsed.length > MAX_KEY_LENGTH) {
      throw invalidInput("idempotency_key", `An idempotency key has 1 to ${MAX_KEY_LENGTH} characters.`);
    }
    return { actor: this.#scope.actor, idempotency_key: parsed, part: parseInteger("part", part) };
  }
}
