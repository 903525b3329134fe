/** How long an answer may be, in UTF-16 code units, to be put together in such memory. */
export const MAX_MEMORY_LENGTH = 80_000;

// In UTF-8 a code unit takes up to three bytes. What is not written takes no memory.
const BYTES = MAX_MEMORY_LENGTH * 3;
const COMMA = 0x2c;
// More are needed only while clients are slower than the service.
const MAX_FREE = 16;

/**
 * Memory in which long answers are put together, used again and again: the system copies out of it what is
 * sent. New memory for each, or a text of V8's, would cost as much as all else that sending takes.
 */
export class AnswerMemory {
  readonly #free: Buffer[] = [];

  /**
   * Puts an answer together.
   *
   * @param pieces together not longer than {@link MAX_MEMORY_LENGTH}, with commas between.
   * @returns its bytes, which are nobody else's until they are given back.
   */
  write(pieces: readonly string[]): Buffer {
    const memory = this.#free.pop() ?? Buffer.allocUnsafeSlow(BYTES);
    let length = memory.write(pieces[0]!);
    for (let index = 1; index < pieces.length; index++) {
      memory[length++] = COMMA;
      length += memory.write(pieces[index]!, length);
    }
    return memory.subarray(0, length);
  }

  /** @param bytes those of an answer that the system has all of. */
  giveBack({ buffer }: Buffer): void {
    if (this.#free.length < MAX_FREE) this.#free.push(Buffer.from(buffer));
  }
}
