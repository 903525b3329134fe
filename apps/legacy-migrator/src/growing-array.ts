/** Numbers in the order they came, 8 bytes each, without a limit that has to be known before. */
export class GrowingArray {
  #values = new Float64Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(this.#length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  at(index: number): number {
    if (index < 0 || index >= this.#length) throw new RangeError(`no number at ${index}`);
    return this.#values[index]!;
  }

  set(index: number, value: number): void {
    if (index < 0 || index >= this.#length) throw new RangeError(`no number at ${index}`);
    this.#values[index] = value;
  }
}
