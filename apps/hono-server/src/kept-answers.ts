import type { RequestContext } from "./env.ts";
import { namesEtag } from "./etag.ts";
import type { JsonText } from "./json-text.ts";

interface Kept {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly headers: Record<string, string>;
}

const MAX_BYTES = 16 * 1024 * 1024;
/** What keeps an answer beside its body. */
const OVERHEAD_BYTES = 512;

/**
 * Answers that are made of models alone, kept as long as the models that the caller sees stay as they are,
 * in at most 16 MiB. Whoever changes something, in whatever process, or a lease that runs out, makes the
 * mark of the state another one, and what was kept under the old mark is never asked for again.
 */
export class KeptAnswers {
  readonly #maxBytes: number;
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(maxBytes: number = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** How many bytes it holds. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Answers a request, with 304 where the client has the answer. An answer that does not bring an `ETag`
   * gets the mark of the state for one.
   *
   * @param read makes the answer where none is kept; whatever it throws is nobody's answer.
   */
  async answer(c: RequestContext, read: () => Promise<JsonText>): Promise<Response> {
    const mark = await c.get("caller").stateMark();
    const key = `${mark} ${c.env.incoming?.url ?? c.req.url}`;
    const { body, headers } = this.#kept.get(key) ?? this.#keep(key, mark, await read());
    const known = c.req.header("if-none-match");
    if (known !== undefined && namesEtag(known, headers["etag"]!)) {
      return new Response(null, { status: 304, headers: { etag: headers["etag"]! } });
    }
    return new Response(body, { headers });
  }

  #keep(key: string, mark: string, { text, headers }: JsonText): Kept {
    const kept = { body: Buffer.from(text), headers: { etag: `"${mark}"`, ...headers } };
    const bytes = sizeOf(key, kept);
    if (bytes > this.#maxBytes / 4) return kept;
    this.#forget(key);
    this.#kept.set(key, kept);
    this.#bytes += bytes;
    for (const [oldest] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#forget(oldest);
    }
    return kept;
  }

  #forget(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#bytes -= sizeOf(key, kept);
  }
}

function sizeOf(key: string, { body }: Kept): number {
  return key.length + body.byteLength + OVERHEAD_BYTES;
}
