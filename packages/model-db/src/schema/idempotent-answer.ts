/** A row of `idempotent_answer`. */
export interface IdempotentAnswerTable {
  actor: string;
  idempotency_key: string;
  /** From 0. */
  part: number;
  request_sha256: string;
  answer: string;
  /** Unix milliseconds. */
  kept_at: number;
}
