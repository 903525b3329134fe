import { OrderThread } from "./order-thread.ts";
import type { Piece, Pieces } from "./pieces.ts";

interface Setting {
  readonly descriptor: number;
  readonly memory: SharedArrayBuffer;
  readonly writeBytes: number;
}

interface Order {
  readonly offset: number;
  readonly bytes: number;
  readonly position: number;
}

// Linux finds memory for a small write among what was freed last. For a large one it looks for a large block, which
// nobody used for long: 2 GB took 0.5 to 0.9 s in writes of this size, and 0.5 to 3.5 s in those of 1 MiB and more.
const WRITE_BYTES = 128 * 1024;

/** Writes a file in a thread of its own, so that nothing else waits where the disk is slow. */
export class FileWriter implements AsyncDisposable {
  readonly #thread: OrderThread<Setting, Order, void>;

  /**
   * @param descriptor of the file, open for as long as this is in use.
   * @param pieces of which it writes.
   */
  constructor(descriptor: number, { memory }: Pieces) {
    this.#thread = new OrderThread(prepareWriting, { descriptor, memory, writeBytes: WRITE_BYTES });
  }

  /**
   * Writes the first bytes of a piece to a position of the file.
   *
   * @throws what the system says of a file that cannot be written, with its `code`.
   */
  async write({ offset }: Piece, bytes: number, position: number): Promise<void> {
    return this.#thread.order({ offset, bytes, position });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }
}

/** Runs in the thread. */
function prepareWriting({ descriptor, memory, writeBytes }: Setting): (order: Order) => void {
  const { writeSync } = process.getBuiltinModule("node:fs");
  const all = new Uint8Array(memory);
  return ({ offset, bytes, position }) => {
    for (let at = 0; at < bytes;) {
      // A disk that is nearly full takes a part, and says so only the next time.
      at += writeSync(descriptor, all, offset + at, Math.min(writeBytes, bytes - at), position + at);
    }
  };
}
