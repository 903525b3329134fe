import { HttpError } from "../errors.ts";

/** How many requests may be under way at once. */
export class Concurrency {
  readonly #max: number;
  #current = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Counts a request that begins.
   *
   * @returns what counts it out, once, however often it is called.
   * @throws HttpError `too_busy`.
   */
  enter(): () => void {
    if (this.#current >= this.#max) {
      throw new HttpError("too_busy", "The service has too much under way. Ask again in a moment.", {
        "retry-after": "1",
      });
    }
    this.#current += 1;
    let isIn = true;
    return () => {
      if (isIn) this.#current -= 1;
      isIn = false;
    };
  }
}
