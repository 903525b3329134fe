import { OrderThread } from "./order-thread.ts";
import { PIECE_BYTES, type Piece, type Pieces } from "./pieces.ts";

/** Hashes of a file's content, in lower-case hexadecimal digits. */
export interface ContentHashes {
  readonly sha256: string;
  /** Git's id of it: SHA-1 of `blob <size>\0` and the content. */
  readonly gitSha1: string;
}

export interface ContentHashOptions {
  /** @default false */
  readonly withGitSha1?: boolean;
  /** Through which the file is written. @default none: it is read from the file alone */
  readonly pieces?: Pieces;
}

interface Setting {
  readonly descriptor: number;
  readonly sizeBytes: number;
  readonly withGitSha1: boolean;
  readonly memory: SharedArrayBuffer | undefined;
  readonly blockBytes: number;
}

/** From memory, from the file, or what was hashed. */
type Order =
  | { readonly offset: number; readonly bytes: number }
  | { readonly start: number; readonly end: number }
  | "digest";

/**
 * Hashes a file while it is being written, in a thread of its own: from the memory that it is written from
 * where that comes in order, and else from the file, behind the writers.
 */
export class ContentHash implements AsyncDisposable {
  readonly #sizeBytes: number;
  readonly #thread: OrderThread<Setting, Order, ContentHashes | undefined>;
  /** How much of the file, from its beginning, is hashed or will be. */
  #orderedEnd = 0;
  /** How many times the thread is to read from the file. */
  #readings = 0;
  #failure: unknown;

  /** @param descriptor of the file, open for reading as long as this is in use. */
  constructor(descriptor: number, sizeBytes: number, options: ContentHashOptions = {}) {
    const { withGitSha1 = false, pieces } = options;
    const setting = { descriptor, sizeBytes, withGitSha1, memory: pieces?.memory, blockBytes: PIECE_BYTES };
    this.#sizeBytes = sizeBytes;
    this.#thread = new OrderThread(prepareHashing, setting);
  }

  /**
   * Hashes the first bytes of a piece, where they are the next and nothing is to be read from the file before:
   * else they are read from the file as well, once they are written.
   *
   * @param position of the file to which they belong.
   * @returns when the piece may be filled again.
   */
  async offer({ offset }: Piece, bytes: number, position: number): Promise<void> {
    if (position !== this.#orderedEnd || this.#readings > 0) return;
    this.#orderedEnd += bytes;
    await this.#order({ offset, bytes });
  }

  /** Says how much of the file, from its beginning, is written. */
  advance(prefixEnd: number): void {
    const start = this.#orderedEnd;
    if (prefixEnd <= start) return;
    this.#orderedEnd = prefixEnd;
    this.#readings++;
    void this.#order({ start, end: prefixEnd }).then(() => this.#readings--);
  }

  /**
   * The hashes, once the whole file was offered or written.
   *
   * @param signal ends the waiting, with its reason.
   * @throws what the system says of a file that cannot be read.
   */
  async hashes(signal?: AbortSignal): Promise<ContentHashes> {
    signal?.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal?.reason);
    signal?.addEventListener("abort", abort);
    try {
      const hashes = await Promise.race([this.#thread.order("digest"), aborted.promise]);
      if (this.#failure !== undefined) throw this.#failure;
      if (hashes === undefined || this.#orderedEnd !== this.#sizeBytes)
        throw new Error("the file is not whole");
      return hashes;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }

  async #order(order: Order): Promise<void> {
    try {
      await this.#thread.order(order);
    } catch (error) {
      // Told when the hashes are asked for.
      this.#failure ??= error;
    }
  }
}

/** Runs in the thread. */
function prepareHashing(setting: Setting): (order: Order) => ContentHashes | undefined {
  const { readSync } = process.getBuiltinModule("node:fs");
  const { createHash } = process.getBuiltinModule("node:crypto");
  const { descriptor, sizeBytes, withGitSha1, memory, blockBytes } = setting;
  const sha256 = createHash("sha256");
  const gitSha1 = createHash("sha1").update(`blob ${sizeBytes}\0`);
  const block = Buffer.allocUnsafeSlow(blockBytes);
  const update = (bytes: Uint8Array): void => {
    sha256.update(bytes);
    if (withGitSha1) gitSha1.update(bytes);
  };
  return (order) => {
    if (order === "digest") return { sha256: sha256.digest("hex"), gitSha1: gitSha1.digest("hex") };
    if ("offset" in order) {
      update(new Uint8Array(memory!, order.offset, order.bytes));
      return undefined;
    }
    for (let { start, end } = order; start < end;) {
      const read = readSync(descriptor, block, 0, Math.min(block.length, end - start), start);
      if (read === 0) throw new Error("the file is shorter than what was written to it");
      update(block.subarray(0, read));
      start += read;
    }
    return undefined;
  };
}
