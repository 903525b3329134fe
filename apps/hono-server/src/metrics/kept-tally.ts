import type { ModelTally, Registry } from "@cortex/model-db";

// Counting takes at most a fiftieth of the time.
const REST = 50;

/** The models by source and status, counted anew when something has happened, and seldom where that takes long. */
export class KeptTally {
  readonly #registry: Registry;
  #tally: Promise<ModelTally[]> | undefined;
  #mark: string | undefined;
  #restUntil = 0;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  async read(): Promise<readonly ModelTally[]> {
    if (this.#tally !== undefined && performance.now() < this.#restUntil) return this.#tally;
    const mark = await this.#registry.stateMark();
    if (this.#tally !== undefined && mark === this.#mark) return this.#tally;
    this.#mark = mark;
    this.#restUntil = Infinity;
    this.#tally = this.#count();
    return this.#tally;
  }

  async #count(): Promise<ModelTally[]> {
    const start = performance.now();
    try {
      return await this.#registry.tally();
    } catch (error) {
      this.#tally = undefined;
      throw error;
    } finally {
      const end = performance.now();
      this.#restUntil = end + (end - start) * REST;
    }
  }
}
