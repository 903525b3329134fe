import { SPARE_BYTES, type ByteSink } from "../hub/byte-sink.ts";
import type { PartialFile } from "./partial-file.ts";

// Few large writes. One is being filled, and one is spare, while the others are on their way to the file.
const BUFFER_BYTES = SPARE_BYTES;
const BUFFERS = 4;

/** The memory in which one connection's bytes wait to be written. */
export class WriteBuffers implements ByteSink {
  readonly #partial: PartialFile;
  readonly #onWritten: () => void;
  readonly #free: Buffer[] = [];
  #made = 0;
  #current: Buffer;
  #filledBytes = 0;
  #failure: unknown;
  readonly #writing = new Set<Promise<void>>();
  /** Where the next bytes go in the file. */
  position = 0;

  constructor(partial: PartialFile, onWritten: () => void) {
    this.#partial = partial;
    this.#onWritten = onWritten;
    this.#current = this.#takeFree();
  }

  space(): Uint8Array {
    return this.#current.subarray(this.#filledBytes);
  }

  filled(bytes: number): Promise<void> | undefined {
    this.#filledBytes += bytes;
    this.position += bytes;
    if (this.#filledBytes < BUFFER_BYTES) return undefined;
    this.#write();
    if (this.#hasFree) return undefined;
    const free = this.#untilFree();
    // Whoever does not wait is told when it flushes.
    free.catch(() => undefined);
    return free;
  }

  /** Waits until everything is written. @throws as {@link PartialFile.write}. */
  async flush(): Promise<void> {
    if (this.#filledBytes > 0) this.#write();
    await Promise.all(this.#writing);
    if (this.#failure !== undefined) throw this.#failure;
  }

  get #hasFree(): boolean {
    return this.#free.length > 0 || this.#made < BUFFERS;
  }

  async #untilFree(): Promise<void> {
    while (!this.#hasFree && this.#failure === undefined) await Promise.race(this.#writing);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #write(): void {
    const [buffer, bytes] = [this.#current, this.#filledBytes];
    const writing = this.#partial
      .write(this.position - bytes, buffer.subarray(0, bytes))
      .then(this.#onWritten, (error: unknown) => {
        this.#failure ??= error;
      });
    const done = writing.finally(() => {
      this.#free.push(buffer);
      this.#writing.delete(done);
    });
    this.#writing.add(done);
    [this.#current, this.#filledBytes] = [this.#takeFree(), 0];
  }

  #takeFree(): Buffer {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    this.#made++;
    return Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }
}
