import { HttpError } from "../errors.ts";

const RETRY = { "retry-after": "1" };

/** How many requests may be under way at once, half of them one client's at most, so that none keeps the others out. */
export class Concurrency {
  readonly #max: number;
  readonly #clients = new Map<string, number>();
  #current = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Counts a request that begins.
   *
   * @param client who asks; left out for those who may take all.
   * @returns what counts it out, once, however often it is called.
   * @throws HttpError `too_busy`, and `too_many_requests` where it is one client's doing.
   */
  enter(client?: string): () => void {
    if (this.#current >= this.#max) {
      throw new HttpError("too_busy", "The service has too much under way. Ask again in a moment.", RETRY);
    }
    if (client !== undefined) this.#countIn(client);
    this.#current += 1;
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      this.#current -= 1;
      if (client !== undefined) this.#countOut(client);
    };
  }

  #countIn(client: string): void {
    const count = this.#clients.get(client) ?? 0;
    if (count >= this.#max / 2) {
      throw new HttpError(
        "too_many_requests",
        "You have too much under way. Read the answers, or ask again in a moment.",
        RETRY,
      );
    }
    this.#clients.set(client, count + 1);
  }

  #countOut(client: string): void {
    const count = this.#clients.get(client)! - 1;
    if (count === 0) this.#clients.delete(client);
    else this.#clients.set(client, count);
  }
}
