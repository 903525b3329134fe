import { RegistryError, toVisible } from "@cortex/model-db";

import type { ByteSource } from "./byte-source.ts";

/** Thrown where reading on would cost more bytes than it may. */
export class BudgetSpent extends Error {
  override readonly name = "BudgetSpent";
}

/**
 * Reads a header from its beginning on, in little-endian order. It holds one chunk of it at a time; what is
 * skipped is not read; nothing is believed to be there that the source is too short for.
 */
export class HeaderReader {
  readonly #source: ByteSource;
  readonly #maxBytes: number;
  #chunk: Buffer = Buffer.alloc(0);
  #chunkStart = 0;
  #position = 0;
  #bytesRead = 0;

  /** @param maxBytes how many bytes may be asked of the source. */
  constructor(source: ByteSource, maxBytes: number) {
    this.#source = source;
    this.#maxBytes = maxBytes;
  }

  /** Where it stands, in bytes from the beginning. */
  get position(): number {
    return this.#position;
  }

  /** How many bytes there are behind the position. */
  get remaining(): number {
    return this.#source.sizeBytes - this.#position;
  }

  async uint32(): Promise<number> {
    const at = await this.#advance(4);
    return this.#chunk.readUInt32LE(at);
  }

  /** A whole number of 64 bits; beyond 2^53, which nothing here can be, it is no longer exact. */
  async uint64(): Promise<number> {
    return this.#uint64At(await this.#advance(8));
  }

  /** The next bytes, which have to be few: they are held in memory. */
  async bytes(length: number): Promise<Buffer> {
    const at = await this.#advance(length);
    return this.#chunk.subarray(at, at + length);
  }

  /** Passes over bytes. @throws RegistryError `invalid_input` where there are not that many. */
  skip(length: number): void {
    this.#check(length);
    this.#position += length;
  }

  /**
   * Passes over texts that each begin with their length in 64 bits. There can be hundreds of thousands, so
   * those of a chunk are passed over at once.
   */
  async skipTexts(count: number): Promise<void> {
    for (let left = count; left > 0;) {
      if (!this.#holds(8)) await this.#load(8);
      // Not a promise for each: that takes a hundred times as long.
      for (; left > 0 && this.#holds(8); left--) {
        const length = this.#uint64At(this.#position - this.#chunkStart);
        this.#position += 8;
        this.skip(length);
      }
    }
  }

  /** What is wrong with the source, as an error. */
  problem(what: string): RegistryError {
    return new RegistryError("invalid_input", `${toVisible(this.#source.name)} ${what}.`);
  }

  #uint64At(at: number): number {
    return this.#chunk.readUInt32LE(at) + this.#chunk.readUInt32LE(at + 4) * 2 ** 32;
  }

  async #advance(length: number): Promise<number> {
    if (!this.#holds(length)) await this.#load(length);
    const at = this.#position - this.#chunkStart;
    this.#position += length;
    return at;
  }

  #holds(length: number): boolean {
    return (
      this.#position >= this.#chunkStart && this.#position + length <= this.#chunkStart + this.#chunk.length
    );
  }

  #check(length: number): void {
    if (length <= this.remaining) return;
    throw this.problem(
      `is cut short or damaged: at byte ${this.#position} its header goes on for ${length.toLocaleString("en")} bytes, and ${this.remaining.toLocaleString("en")} are left`,
    );
  }

  async #load(length: number): Promise<void> {
    this.#check(length);
    const wanted = Math.min(Math.max(length, this.#source.chunkBytes), this.remaining);
    // The last chunk may be smaller, so that the whole budget can be used.
    const affordable = Math.min(wanted, this.#maxBytes - this.#bytesRead);
    if (affordable < length) throw new BudgetSpent();
    const bytes = await this.#source.read(this.#position, affordable);
    this.#bytesRead += bytes.length;
    if (bytes.length < length) throw this.problem("became shorter while it was read");
    this.#chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#chunkStart = this.#position;
  }
}
