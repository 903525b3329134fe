/** How far something has come, for whoever waits for it. */
export class Progress {
  #reached: number;
  #waiting: (() => void)[] = [];

  constructor(reached = 0) {
    this.#reached = reached;
  }

  reach(value: number): void {
    this.#reached = Math.max(this.#reached, value);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Resolves when it has come to a value, or rejects as the work does that it waits for. */
  async until(value: number, work: Promise<unknown>): Promise<void> {
    while (this.#reached < value) {
      await Promise.race([new Promise<void>((resolve) => this.#waiting.push(resolve)), work]);
    }
  }
}
