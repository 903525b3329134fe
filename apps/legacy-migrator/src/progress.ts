const INTERVAL_MS = 100;
const BAR_WIDTH = 24;

/** One line on a terminal that says how far a long step is; silent elsewhere. */
export class Progress implements Disposable {
  readonly #stream: NodeJS.WriteStream;
  readonly #isOn: boolean;
  #drawnAt = 0;
  #step = "";
  #begunAt = 0;
  #isDrawn = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#isOn = stream.isTTY && process.env["TERM"] !== "dumb";
  }

  /**
   * @param step what is being done, e.g. `Reading`
   * @param done of `total`, in any unit
   * @param rateUnit says what `done` counts, where a rate is of interest
   */
  show(step: string, done: number, total: number, rateUnit?: string): void {
    if (!this.#isOn) return;
    const now = performance.now();
    if (step !== this.#step) [this.#step, this.#begunAt, this.#drawnAt] = [step, now, 0];
    if (now - this.#drawnAt < INTERVAL_MS) return;
    this.#drawnAt = now;
    this.#isDrawn = true;
    const part = total > 0 ? Math.min(1, done / total) : 0;
    const filled = Math.round(part * BAR_WIDTH);
    const seconds = (now - this.#begunAt) / 1000;
    const rate =
      rateUnit === undefined || seconds < 1
        ? ""
        : `  ${Math.round(done / seconds).toLocaleString("en")} ${rateUnit}/s`;
    const bar = `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)}`;
    this.#stream.write(
      `\r${step.padEnd(10)} ${bar} ${String(Math.floor(part * 100)).padStart(3)} %${rate}\u001b[K`,
    );
  }

  [Symbol.dispose](): void {
    if (this.#isDrawn) this.#stream.write("\r\u001b[K");
    this.#isDrawn = false;
  }
}
