import { HttpError } from "../../errors.ts";

/** Lets in one at a time; whoever comes meanwhile is asked to come again. */
export class OneAtATime {
  readonly #what: string;
  #isTaken = false;

  /** @param what what is under way, for the message. */
  constructor(what: string) {
    this.#what = what;
  }

  /**
   * @returns ends it; more than once is no harm.
   * @throws HttpError `too_busy`.
   */
  enter(): () => void {
    if (this.#isTaken) {
      throw new HttpError("too_busy", `${this.#what} is under way. Ask again when it is done.`, {
        "retry-after": "5",
      });
    }
    this.#isTaken = true;
    let isOver = false;
    return () => {
      if (!isOver) this.#isTaken = false;
      isOver = true;
    };
  }
}
