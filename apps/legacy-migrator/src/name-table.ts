import { randomInt } from "node:crypto";

const EMPTY = -1;

/**
 * From a name to a number, in 12 bytes for each name and not a name in memory: only its 64-bit hash is
 * kept. Whoever asks says whether a number that was found is the right one, so a collision costs a look
 * and never a wrong answer. The hash is seeded, so that no file can be made of collisions.
 */
export class NameTable {
  #size = 0;
  #capacity: number;
  #high: Uint32Array;
  #low: Uint32Array;
  #numbers: Int32Array;
  readonly #seed = randomInt(2 ** 32);
  #hashHigh = 0;
  #hashLow = 0;

  constructor(expected = 1024) {
    this.#capacity = 2 ** Math.ceil(Math.log2(Math.max(16, expected * 2)));
    this.#high = new Uint32Array(this.#capacity);
    this.#low = new Uint32Array(this.#capacity);
    this.#numbers = new Int32Array(this.#capacity).fill(EMPTY);
  }

  /** The number of a name; -1 where there is none. */
  find(name: string, isRight: (number: number) => boolean): number {
    this.#hash(name);
    const [high, low] = [this.#hashHigh, this.#hashLow];
    const mask = this.#capacity - 1;
    for (let slot = low & mask; this.#numbers[slot] !== EMPTY; slot = (slot + 1) & mask) {
      const number = this.#numbers[slot]!;
      if (this.#low[slot] === low && this.#high[slot] === high && isRight(number)) return number;
    }
    return EMPTY;
  }

  /** Whether a name may be there: `true` for one that is, and hardly ever for one that is not. */
  mayHave(name: string): boolean {
    return this.find(name, () => true) !== EMPTY;
  }

  /** Adds a name that `find` did not find. */
  add(name: string, number: number): void {
    if (this.#size * 2 >= this.#capacity) this.#grow();
    this.#hash(name);
    this.#put(this.#hashHigh, this.#hashLow, number);
    this.#size++;
  }

  #put(high: number, low: number, number: number): void {
    const mask = this.#capacity - 1;
    let slot = low & mask;
    while (this.#numbers[slot] !== EMPTY) slot = (slot + 1) & mask;
    this.#high[slot] = high;
    this.#low[slot] = low;
    this.#numbers[slot] = number;
  }

  #grow(): void {
    const [high, low, numbers] = [this.#high, this.#low, this.#numbers];
    this.#capacity *= 2;
    this.#high = new Uint32Array(this.#capacity);
    this.#low = new Uint32Array(this.#capacity);
    this.#numbers = new Int32Array(this.#capacity).fill(EMPTY);
    for (let slot = 0; slot < numbers.length; slot++) {
      if (numbers[slot] !== EMPTY) this.#put(high[slot]!, low[slot]!, numbers[slot]!);
    }
  }

  // cyrb53's mixing (github.com/bryc/code), kept as two words.
  #hash(name: string): void {
    let high = 0xdeadbeef ^ this.#seed;
    let low = 0x41c6ce57 ^ this.#seed;
    for (let index = 0; index < name.length; index++) {
      const code = name.charCodeAt(index);
      high = Math.imul(high ^ code, 2654435761);
      low = Math.imul(low ^ code, 1597334677);
    }
    high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
    low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
    this.#hashHigh = high >>> 0;
    this.#hashLow = low >>> 0;
  }
}
