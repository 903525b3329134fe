import type { GuardedRegistry } from "@cortex/model-db";

import type { Answer } from "./answer.ts";
import { namesEtag } from "./etag.ts";
import type { JsonText } from "./json-text.ts";

/** An answer that is kept, or says that the client has it. */
export interface KeptAnswer extends Answer {
  readonly status: 200 | 304;
}

interface Kept extends KeptAnswer {
  readonly status: 200;
  /** A long one as bytes, which need not be encoded again; a short one goes out with its headers in one piece. */
  readonly body: JsonText | Uint8Array<ArrayBuffer>;
}

const MAX_BYTES = 16 * 1024 * 1024;
/** What keeps an answer beside its body. */
const OVERHEAD_BYTES = 512;
/** How long an answer is, in UTF-16 code units, that is kept as bytes. */
export const LONG_LENGTH = 8192;

/**
 * Answers that are made of models alone, kept as long as the models that the caller sees stay as they are,
 * in at most 16 MiB: those that were asked for twice, as keeping one costs more than making it. Whoever
 * changes something, in whatever process, or a lease that runs out, makes the mark of the state another
 * one, and what was kept under the old mark is never asked for again.
 */
export class KeptAnswers {
  readonly #halfBytes: number;
  // Two generations of each: what was not asked for while one filled up goes as a whole, at no cost.
  #young = new Map<string, Kept>();
  #old = new Map<string, Kept>();
  #youngBytes = 0;
  #oldBytes = 0;
  // What was asked for once.
  #asked = new Set<string>();
  #askedBytes = 0;
  #askedBefore = new Set<string>();

  constructor(maxBytes: number = MAX_BYTES) {
    this.#halfBytes = maxBytes / 2;
  }

  /** How many bytes the answers that it keeps take. */
  get bytes(): number {
    return this.#youngBytes + this.#oldBytes;
  }

  /**
   * Answers a request, with 304 where the client has the answer. An answer that does not bring an `ETag`
   * gets the mark of the state for one.
   *
   * @param question which names what is asked for, with its query.
   * @param ifNoneMatch the header, if there is one.
   * @param read makes the answer where none is kept; whatever it throws is nobody's answer.
   */
  async answer(
    caller: Pick<GuardedRegistry, "stateMark">,
    question: string,
    ifNoneMatch: string | undefined,
    read: () => Promise<JsonText>,
  ): Promise<KeptAnswer> {
    const mark = await caller.stateMark();
    const key = `${mark} ${question}`;
    const kept = this.#find(key) ?? this.#note(key, mark, await read());
    const etag = kept.headers["etag"]!;
    if (ifNoneMatch === undefined || !namesEtag(ifNoneMatch, etag)) return kept;
    return { status: 304, headers: { etag }, body: null };
  }

  #find(key: string): Kept | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.#keep(key, old);
    return old;
  }

  #note(key: string, mark: string, text: JsonText): Kept {
    const { length } = text;
    const headers = { etag: `"${mark}"`, ...text.headers };
    if (this.#asked.has(key) || this.#askedBefore.has(key)) {
      const body = length < LONG_LENGTH ? text : Buffer.from(text.toString());
      const kept: Kept = { status: 200, body, headers };
      this.#keep(key, kept);
      return kept;
    }
    // As far back as answers are kept: what is asked for less often would be gone before it is asked for again.
    const bytes = key.length + length + OVERHEAD_BYTES;
    if (this.#askedBytes + bytes > this.#halfBytes) {
      this.#askedBefore = this.#asked;
      this.#asked = new Set();
      this.#askedBytes = 0;
    }
    this.#asked.add(key);
    this.#askedBytes += bytes;
    return { status: 200, body: text, headers };
  }

  #keep(key: string, kept: Kept): void {
    const bytes = key.length + kept.body.length + OVERHEAD_BYTES;
    if (bytes > this.#halfBytes / 2) return;
    if (this.#youngBytes + bytes > this.#halfBytes) {
      this.#old = this.#young;
      this.#oldBytes = this.#youngBytes;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    if (!this.#young.has(key)) this.#youngBytes += bytes;
    this.#young.set(key, kept);
  }
}
