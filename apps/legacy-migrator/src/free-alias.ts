import { shortAliases } from "@cortex/model-db";

import { nameProblem } from "./entry-problem.ts";

/**
 * Finds aliases for models whose own is taken: first the longer ones that the old program would have
 * tried for such an id, then the alias that was wanted, numbered from 2.
 */
export class FreeAliases {
  readonly #isTaken: (name: string) => Promise<boolean>;
  /** The number that was free last, for each alias: a thousand models may want the same. */
  readonly #numbers = new Map<string, number>();

  constructor(isTaken: (name: string) => Promise<boolean>) {
    this.#isTaken = isTaken;
  }

  /** An alias that means nothing yet; `null` where none can be made. */
  async find(wanted: string, modelId: string): Promise<string | null> {
    const usable = nameProblem(wanted) === undefined;
    const long = shortAliases(modelId).slice(usable ? 1 : 0);
    for (const name of long) {
      if (name !== modelId && nameProblem(name) === undefined && !(await this.#isTaken(name))) return name;
    }
    const stem = usable ? wanted : long.at(-1);
    if (stem === undefined || nameProblem(`${stem}-9999999`) !== undefined) return null;
    if (this.#numbers.size > 100_000) this.#numbers.clear();
    let number = this.#numbers.get(stem) ?? 2;
    while (await this.#isTaken(`${stem}-${number}`)) number++;
    this.#numbers.set(stem, number + 1);
    return `${stem}-${number}`;
  }
}
