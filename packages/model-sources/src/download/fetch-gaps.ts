import { RegistryError } from "@cortex/model-db";

import type { ByteRange } from "./byte-ranges.ts";
import type { PartialFile } from "./partial-file.ts";
import type { RangeFetcher } from "./range-fetcher.ts";

interface GapsToFetch {
  readonly fetcher: RangeFetcher;
  readonly partial: PartialFile;
  readonly connections: number;
  readonly signal: AbortSignal | undefined;
  readonly onWritten: () => void;
}

const MIB = 1024 * 1024;
// Small enough that what is hashed from the beginning on stays close behind what arrives.
const MAX_PART_BYTES = 64 * MIB;
const MIN_PART_BYTES = 4 * MIB;
// Fewer and larger writes; so much is in memory twice for each connection.
const WRITE_BYTES = MIB;

/**
 * Fetches what a partial file lacks, in parts from its beginning on, several at a time. A connection that
 * the server refuses for good leaves its part to the others.
 *
 * @throws as {@link RangeFetcher.fetch} and {@link PartialFile.write}; what arrived until then is written.
 */
export async function fetchGaps({
  fetcher,
  partial,
  connections,
  signal,
  onWritten,
}: GapsToFetch): Promise<void> {
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const parts = partsOf(partial.ranges.gaps(partial.sizeBytes), connections);
  const lane = async (onAnswer: () => void): Promise<void> => {
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const writer = new PartWriter(partial, part[0], onWritten);
      try {
        await fetcher.fetch(part, (chunk) => writer.add(chunk), onAnswer, either);
      } catch (error) {
        await writer.flush();
        if (writer.position < part[1]) parts.unshift([writer.position, part[1]]);
        throw error;
      }
      await writer.flush();
    }
  };
  for (let lanes = Math.min(connections, parts.length); parts.length > 0; lanes = 1) {
    const before = partial.ranges.bytes;
    const failures: unknown[] = [];
    const run = async (onAnswer: () => void): Promise<void> => {
      try {
        await lane(onAnswer);
      } catch (error) {
        failures.push(error);
        if (!mayBeLeftToOthers(error)) stop.abort();
      }
    };
    const others: Promise<void>[] = [];
    // One first: it learns whether the server knows ranges, and where the file is.
    await run(() => {
      while (others.length < lanes - 1) others.push(run(() => undefined));
    });
    await Promise.all(others);
    const failure = failures.find((error) => !mayBeLeftToOthers(error)) ?? failures[0];
    const isOver = stop.signal.aborted || lanes === 1 || partial.ranges.bytes === before;
    if (failure !== undefined && isOver) throw failure;
  }
}

function mayBeLeftToOthers(error: unknown): boolean {
  return error instanceof RegistryError && error.code === "source_unreachable";
}

/** Parts of what is missing; for one connection none is split. */
function partsOf(gaps: readonly ByteRange[], connections: number): ByteRange[] {
  const missing = gaps.reduce((sum, [start, end]) => sum + end - start, 0);
  const share = Math.ceil(missing / (connections * 4) / MIB) * MIB;
  const size = connections === 1 ? missing : Math.min(Math.max(share, MIN_PART_BYTES), MAX_PART_BYTES);
  return gaps.flatMap(([start, end]) => {
    const count = Math.ceil((end - start) / size);
    return Array.from({ length: count }, (_, at): ByteRange => [
      start + at * size,
      Math.min(start + (at + 1) * size, end),
    ]);
  });
}

/** Writes what arrives of one part in larger pieces, one while the next is gathered. */
class PartWriter {
  readonly #partial: PartialFile;
  readonly #onWritten: () => void;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #writing: Promise<void> = Promise.resolve();
  /** Behind the last byte that was handed on to be written. */
  position: number;

  constructor(partial: PartialFile, position: number, onWritten: () => void) {
    this.#partial = partial;
    this.position = position;
    this.#onWritten = onWritten;
  }

  /** @returns a promise where whoever brings the bytes has to wait. */
  add(chunk: Buffer): Promise<void> | undefined {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    return this.#bytes < WRITE_BYTES ? undefined : this.#handOn();
  }

  /** Waits until all that was added is written. */
  async flush(): Promise<void> {
    await this.#handOn();
    await this.#writing;
  }

  async #handOn(): Promise<void> {
    await this.#writing;
    const [chunks, position] = [this.#chunks, this.position];
    if (chunks.length === 0) return;
    this.position += this.#bytes;
    [this.#chunks, this.#bytes] = [[], 0];
    this.#writing = this.#partial.write(position, chunks).then(this.#onWritten);
    // Told to whoever waits for it next.
    this.#writing.catch(() => undefined);
  }
}
