import { Worker } from "node:worker_threads";

/** Hashes of a file's content, in lower-case hexadecimal digits. */
export interface ContentHashes {
  readonly sha256: string;
  /** Git's id of it: SHA-1 of `blob <size>\0` and the content. */
  readonly gitSha1: string;
}

interface Following {
  readonly descriptor: number;
  readonly sizeBytes: number;
  readonly withGitSha1: boolean;
  /** How much of the file, from its beginning, may be read; -1 ends it. */
  readonly readable: BigInt64Array<SharedArrayBuffer>;
}

/**
 * Hashes a file while it is being written, in a thread of its own that reads behind the writers: in any
 * order they write, it goes on as far as there are no gaps, and what was written a moment ago is still in
 * the system's memory.
 */
export class ContentHash implements AsyncDisposable {
  readonly #readable = new BigInt64Array(new SharedArrayBuffer(8));
  readonly #worker: Worker;
  readonly #hashes: Promise<ContentHashes>;
  readonly #disposed = new AbortController();

  /**
   * @param descriptor of the file, open for reading as long as this is in use.
   * @param signal ends the waiting for the hashes, with its reason.
   */
  constructor(descriptor: number, sizeBytes: number, withGitSha1: boolean, signal?: AbortSignal) {
    const workerData: Following = { descriptor, sizeBytes, withGitSha1, readable: this.#readable };
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

  /** Says how much of the file, from its beginning, is written. */
  advance(prefixEnd: number): void {
    Atomics.store(this.#readable, 0, BigInt(prefixEnd));
    Atomics.notify(this.#readable, 0);
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
}

/** Runs in the thread: nothing from outside this function is there. */
function follow(): void {
  const { readSync } = process.getBuiltinModule("node:fs");
  const { createHash } = process.getBuiltinModule("node:crypto");
  const { workerData, parentPort } = process.getBuiltinModule("node:worker_threads");
  const { descriptor, sizeBytes, withGitSha1, readable } = workerData as Following;
  const sha256 = createHash("sha256");
  const gitSha1 = createHash("sha1").update(`blob ${sizeBytes}\0`);
  const block = Buffer.allocUnsafeSlow(1024 * 1024);
  for (let at = 0; at < sizeBytes;) {
    const until = Atomics.load(readable, 0);
    if (until < 0n) return;
    if (until <= BigInt(at)) {
      Atomics.wait(readable, 0, until);
      continue;
    }
    const read = readSync(descriptor, block, 0, Math.min(block.length, Number(until) - at), at);
    if (read === 0) throw new Error("the file is shorter than what was written to it");
    const bytes = block.subarray(0, read);
    sha256.update(bytes);
    if (withGitSha1) gitSha1.update(bytes);
    at += read;
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
  parentPort?.postMessage({ sha256: sha256.digest("hex"), gitSha1: gitSha1.digest("hex") });
}
