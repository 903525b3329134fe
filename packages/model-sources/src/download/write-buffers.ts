import type { ByteSink } from "../hub/byte-sink.ts";
import type { ContentHash } from "./content-hash.ts";
import { notWritten } from "./download-failures.ts";
import type { FileWriter } from "./file-writer.ts";
import type { PartialFile } from "./partial-file.ts";
import type { Piece, Pieces } from "./pieces.ts";

/** How many pieces one connection may have: one is being filled, and one is spare, while the others are written and hashed. */
export const PIECES_PER_CONNECTION = 8;

interface WriteBuffersOptions {
  readonly partial: PartialFile;
  readonly pieces: Pieces;
  readonly writer: FileWriter;
  readonly hash: ContentHash;
  readonly onWritten: () => void;
  /** Told when what comes has to wait until others are written or hashed. */
  readonly onHeldUp: () => void;
}

/** The memory in which one connection's bytes wait to be written and hashed. */
export class WriteBuffers implements ByteSink, Disposable {
  readonly #options: WriteBuffersOptions;
  #current: Piece;
  #filledBytes = 0;
  #failure: unknown;
  /** The pieces that are written or hashed. */
  readonly #inUse = new Set<Promise<void>>();
  #position = 0;

  constructor(options: WriteBuffersOptions) {
    this.#options = options;
    this.#current = options.pieces.take();
  }

  /** Where the next bytes go in the file. */
  get position(): number {
    return this.#position;
  }

  /** Says where the next bytes go. @throws as {@link flush}, of what was written until now. */
  async goTo(position: number): Promise<void> {
    if (position !== this.#position && this.#filledBytes > 0) this.#write();
    this.#position = position;
    await this.#untilSpare();
  }

  space(): Uint8Array {
    return this.#current.bytes.subarray(this.#filledBytes);
  }

  filled(bytes: number): Promise<void> | undefined {
    this.#filledBytes += bytes;
    this.#position += bytes;
    if (this.#filledBytes < this.#current.bytes.length) return undefined;
    this.#write();
    if (this.#hasSpare) return undefined;
    this.#options.onHeldUp();
    const spare = this.#untilSpare();
    // Whoever does not wait is told when it flushes.
    spare.catch(() => undefined);
    return spare;
  }

  /** Waits until everything is written and what is at hand is hashed. @throws RegistryError `disk_full`, and what the system says. */
  async flush(): Promise<void> {
    if (this.#filledBytes > 0) this.#write();
    await Promise.all(this.#inUse);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Gives its memory back, once it is flushed. */
  [Symbol.dispose](): void {
    this.#options.pieces.giveBack(this.#current);
  }

  get #hasSpare(): boolean {
    return this.#inUse.size < PIECES_PER_CONNECTION - 1;
  }

  async #untilSpare(): Promise<void> {
    while (!this.#hasSpare && this.#failure === undefined) await Promise.race(this.#inUse);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #write(): void {
    const [piece, bytes] = [this.#current, this.#filledBytes];
    const done = this.#bring(piece, bytes, this.#position - bytes).finally(() => this.#inUse.delete(done));
    this.#inUse.add(done);
    [this.#current, this.#filledBytes] = [this.#options.pieces.take(), 0];
  }

  /** Writes and hashes what is in a piece, and gives it back. */
  async #bring(piece: Piece, bytes: number, start: number): Promise<void> {
    const { partial, pieces, writer, hash, onWritten } = this.#options;
    const hashed = hash.offer(piece, bytes, start);
    try {
      await writer.write(piece, bytes, start);
      partial.ranges.add(start, start + bytes);
      onWritten();
    } catch (error) {
      this.#failure ??= notWritten(partial.place, error);
    }
    await hashed;
    pieces.giveBack(piece);
  }
}
