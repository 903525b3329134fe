import type { ByteSink } from "../hub/byte-sink.ts";
import type { ContentHash, Piece } from "./content-hash.ts";
import type { PartialFile } from "./partial-file.ts";

/** How many pieces one connection may have: one is being filled, and one is spare, while the others wait to be written. */
export const PIECES_PER_CONNECTION = 8;

interface WriteBuffersOptions {
  readonly partial: PartialFile;
  readonly hash: ContentHash;
  readonly onWritten: () => void;
  /** Told when what comes has to wait until other bytes are written. */
  readonly onHeldUp: () => void;
}

/** The memory in which one connection's bytes wait to be written. */
export class WriteBuffers implements ByteSink, Disposable {
  readonly #options: WriteBuffersOptions;
  #current: Piece;
  #filledBytes = 0;
  #failure: unknown;
  readonly #writing = new Set<Promise<void>>();
  /** Where the next bytes go in the file. */
  position = 0;

  constructor(options: WriteBuffersOptions) {
    this.#options = options;
    this.#current = options.hash.take();
  }

  space(): Uint8Array {
    return this.#current.bytes.subarray(this.#filledBytes);
  }

  filled(bytes: number): Promise<void> | undefined {
    this.#filledBytes += bytes;
    this.position += bytes;
    if (this.#filledBytes < this.#current.bytes.length) return undefined;
    this.#write();
    if (this.#hasSpare) return undefined;
    this.#options.onHeldUp();
    const spare = this.#untilSpare();
    // Whoever does not wait is told when it flushes.
    spare.catch(() => undefined);
    return spare;
  }

  /** Waits until everything is written. @throws as {@link PartialFile.write}. */
  async flush(): Promise<void> {
    if (this.#filledBytes > 0) this.#write();
    await Promise.all(this.#writing);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Gives its memory back, once everything is written. */
  [Symbol.dispose](): void {
    this.#options.hash.giveBack(this.#current);
  }

  get #hasSpare(): boolean {
    return this.#writing.size < PIECES_PER_CONNECTION - 1;
  }

  async #untilSpare(): Promise<void> {
    while (!this.#hasSpare && this.#failure === undefined) await Promise.race(this.#writing);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #write(): void {
    const { partial, hash, onWritten } = this.#options;
    const [piece, bytes] = [this.#current, this.#filledBytes];
    const position = this.position - bytes;
    hash.offer(piece, position, bytes);
    const writing = partial
      .write(position, piece.bytes.subarray(0, bytes))
      .then(onWritten, (error: unknown) => {
        this.#failure ??= error;
      });
    const done = writing.finally(() => {
      hash.giveBack(piece);
      this.#writing.delete(done);
    });
    this.#writing.add(done);
    [this.#current, this.#filledBytes] = [hash.take(), 0];
  }
}
