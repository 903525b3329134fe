import { Worker } from "node:worker_threads";

import { SPARE_BYTES } from "../hub/byte-sink.ts";

/** Hashes of a file's content, in lower-case hexadecimal digits. */
export interface ContentHashes {
  readonly sha256: string;
  /** Git's id of it: SHA-1 of `blob <size>\0` and the content. */
  readonly gitSha1: string;
}

/** Memory for a piece of the file, which the hashing thread sees as well. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly slot: number;
}

export interface ContentHashOptions {
  /** @default false */
  readonly withGitSha1?: boolean;
  /** How many pieces of the file can be in memory at a time. @default 0: it is read from the file alone */
  readonly pieces?: number;
  /** Ends the waiting for the hashes, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What both threads see. */
interface Shared {
  /** Changes with everything that may be news to the hashing thread. */
  readonly news: Int32Array<SharedArrayBuffer>;
  /** How much of the file, from its beginning, may be read; -1 ends it. */
  readonly readable: BigInt64Array<SharedArrayBuffer>;
  /** What each slot of the memory is to the hashing thread. */
  readonly states: Int32Array<SharedArrayBuffer>;
  /** From and to which byte of the file each slot holds what it holds. */
  readonly ranges: BigInt64Array<SharedArrayBuffer>;
  readonly memory: SharedArrayBuffer;
}

interface Following extends Shared {
  readonly descriptor: number;
  readonly sizeBytes: number;
  readonly withGitSha1: boolean;
  readonly pieceBytes: number;
  readonly slotStates: typeof SLOT;
}

const PIECE_BYTES = SPARE_BYTES;
// What is in a slot: nothing that matters, something to hash, and what is being hashed.
const SLOT = { free: 0, offered: 1, hashing: 2 } as const;

/**
 * Hashes a file while it is being written, in a thread of its own: from the memory that it is written from
 * where that comes in order, and else from the file, behind the writers.
 */
export class ContentHash implements AsyncDisposable {
  readonly #shared: Shared;
  /** Those that nobody fills or writes; last those that were given back last. */
  readonly #idle: Piece[];
  readonly #worker: Worker;
  readonly #hashes: Promise<ContentHashes>;
  readonly #disposed = new AbortController();

  /** @param descriptor of the file, open for reading as long as this is in use. */
  constructor(
    descriptor: number,
    sizeBytes: number,
    { withGitSha1 = false, pieces = 0, signal }: ContentHashOptions = {},
  ) {
    const memory = new SharedArrayBuffer(pieces * PIECE_BYTES);
    this.#shared = {
      news: new Int32Array(new SharedArrayBuffer(4)),
      readable: new BigInt64Array(new SharedArrayBuffer(8)),
      states: new Int32Array(new SharedArrayBuffer(4 * pieces)),
      ranges: new BigInt64Array(new SharedArrayBuffer(16 * pieces)),
      memory,
    };
    this.#idle = Array.from({ length: pieces }, (_, slot) => ({
      slot,
      bytes: new Uint8Array(memory, slot * PIECE_BYTES, PIECE_BYTES),
    }));
    const workerData: Following = {
      ...this.#shared,
      descriptor,
      sizeBytes,
      withGitSha1,
      pieceBytes: PIECE_BYTES,
      slotStates: SLOT,
    };
    // As text, so that it needs no file of its own beside a bundle.
    this.#worker = new Worker(`(${follow.toString()})()`, { eval: true, workerData });
    this.#hashes = new Promise((resolve, reject) => {
      this.#worker.once("message", resolve);
      this.#worker.once("error", reject);
      const abort = (): void => reject(signal?.reason);
      signal?.addEventListener("abort", abort, { signal: this.#disposed.signal });
      if (signal?.aborted === true) abort();
    });
    // Told when it is asked for.
    this.#hashes.catch(() => undefined);
  }

  /**
   * Memory to fill. Where nothing else is left, it is that of the piece which waited last to be hashed: that
   * one is read from the file then, and those before it are not.
   *
   * @throws where more are asked for at a time than there are, but for one that is being hashed.
   */
  take(): Piece {
    const { states } = this.#shared;
    let at = this.#idle.findLastIndex(({ slot }) => Atomics.load(states, slot) === SLOT.free);
    if (at === -1) {
      at = this.#idle.findLastIndex(
        ({ slot }) => Atomics.compareExchange(states, slot, SLOT.offered, SLOT.free) !== SLOT.hashing,
      );
    }
    const piece = this.#idle[at];
    if (piece === undefined) throw new Error("more pieces are taken than there are");
    this.#idle.splice(at, 1);
    return piece;
  }

  /** Says what is in a piece: so many bytes, from that position of the file on. They stay until it is given back. */
  offer(piece: Piece, position: number, bytes: number): void {
    const { states, ranges } = this.#shared;
    ranges[2 * piece.slot] = BigInt(position);
    ranges[2 * piece.slot + 1] = BigInt(position + bytes);
    Atomics.store(states, piece.slot, SLOT.offered);
    this.#tell();
  }

  /** Gives back a piece that is written. */
  giveBack(piece: Piece): void {
    this.#idle.push(piece);
  }

  /** Says how much of the file, from its beginning, is written. */
  advance(prefixEnd: number): void {
    Atomics.store(this.#shared.readable, 0, BigInt(prefixEnd));
    this.#tell();
  }

  /** The hashes, once the whole file is written and read. */
  async whole(): Promise<ContentHashes> {
    return this.#hashes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort();
    this.advance(-1);
    await this.#worker.terminate();
  }

  #tell(): void {
    Atomics.add(this.#shared.news, 0, 1);
    Atomics.notify(this.#shared.news, 0);
  }
}

/** Runs in the thread: nothing from outside this function is there. */
function follow(): void {
  const { readSync } = process.getBuiltinModule("node:fs");
  const { createHash } = process.getBuiltinModule("node:crypto");
  const { workerData, parentPort } = process.getBuiltinModule("node:worker_threads");
  const following = workerData as Following;
  const { descriptor, sizeBytes, withGitSha1, pieceBytes } = following;
  const { news, readable, states, ranges, memory } = following;
  const { free, offered, hashing } = following.slotStates;
  const sha256 = createHash("sha256");
  const gitSha1 = createHash("sha1").update(`blob ${sizeBytes}\0`);
  const update = (bytes: Uint8Array): number => {
    sha256.update(bytes);
    if (withGitSha1) gitSha1.update(bytes);
    return bytes.length;
  };
  const startOf = (slot: number): number => Number(ranges[2 * slot]);
  const endOf = (slot: number): number => Number(ranges[2 * slot + 1]);
  const takeSlot = (at: number): number | undefined => {
    for (let slot = 0; slot < states.length; slot++) {
      if (Atomics.load(states, slot) !== offered || startOf(slot) > at) continue;
      if (endOf(slot) <= at) {
        // It was read from the file already.
        Atomics.compareExchange(states, slot, offered, free);
        continue;
      }
      if (Atomics.compareExchange(states, slot, offered, hashing) !== offered) continue;
      if (startOf(slot) <= at && endOf(slot) > at) return slot;
      // It was given away and filled anew in between.
      Atomics.store(states, slot, offered);
    }
    return undefined;
  };
  const block = Buffer.allocUnsafeSlow(1024 * 1024);
  for (let at = 0; at < sizeBytes;) {
    const seen = Atomics.load(news, 0);
    const until = Number(Atomics.load(readable, 0));
    if (until < 0) return;
    const slot = takeSlot(at);
    if (slot !== undefined) {
      const start = startOf(slot);
      const piece = new Uint8Array(memory, slot * pieceBytes, endOf(slot) - start);
      at += update(piece.subarray(at - start));
      Atomics.store(states, slot, free);
    } else if (until > at) {
      const read = readSync(descriptor, block, 0, Math.min(block.length, until - at), at);
      if (read === 0) throw new Error("the file is shorter than what was written to it");
      at += update(block.subarray(0, read));
    } else {
      Atomics.wait(news, 0, seen);
    }
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
  parentPort?.postMessage({ sha256: sha256.digest("hex"), gitSha1: gitSha1.digest("hex") });
}
