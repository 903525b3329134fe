/** From the first byte to the one behind the last. */
export type ByteRange = readonly [start: number, end: number];

/** Which bytes of a file are there: ranges that neither meet nor overlap, in order. */
export class ByteRanges {
  #ranges: ByteRange[];

  /** @param ranges as {@link toJSON} gave them, or in any order. */
  constructor(ranges: Iterable<ByteRange> = []) {
    this.#ranges = [];
    for (const range of ranges) this.add(...range);
  }

  /** How many bytes are there. */
  get bytes(): number {
    return this.#ranges.reduce((sum, [start, end]) => sum + end - start, 0);
  }

  /** Where the bytes from the beginning on end. */
  get prefixEnd(): number {
    const [first] = this.#ranges;
    return first?.[0] === 0 ? first[1] : 0;
  }

  add(start: number, end: number): void {
    if (start >= end) return;
    const apart = this.#ranges.filter((range) => range[1] < start || range[0] > end);
    const joined = this.#ranges.filter((range) => range[1] >= start && range[0] <= end);
    const from = Math.min(start, ...joined.map((range) => range[0]));
    const to = Math.max(end, ...joined.map((range) => range[1]));
    this.#ranges = [...apart, [from, to] as const].toSorted((one, other) => one[0] - other[0]);
  }

  /** What is not there, below a size. */
  gaps(sizeBytes: number): ByteRange[] {
    const gaps: ByteRange[] = [];
    let at = 0;
    for (const [start, end] of this.#ranges) {
      if (start > at) gaps.push([at, start]);
      at = end;
    }
    if (at < sizeBytes) gaps.push([at, sizeBytes]);
    return gaps;
  }

  toJSON(): readonly ByteRange[] {
    return this.#ranges;
  }
}
