import { RegistryError } from "@cortex/model-db";

import type { ByteRange } from "./byte-ranges.ts";
import type { ContentHash } from "./content-hash.ts";
import type { FileWriter } from "./file-writer.ts";
import type { PartialFile } from "./partial-file.ts";
import type { Pieces } from "./pieces.ts";
import type { RangeFetcher } from "./range-fetcher.ts";
import { WriteBuffers } from "./write-buffers.ts";

interface GapsToFetch {
  readonly fetcher: RangeFetcher;
  readonly partial: PartialFile;
  /** {@link PIECES_PER_CONNECTION} for each connection. */
  readonly pieces: Pieces;
  readonly writer: FileWriter;
  readonly hash: ContentHash;
  /** At most so many at a time. */
  readonly connections: number;
  /** For a server that does not give parts. */
  readonly inOnePiece: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onWritten: () => void;
}

const MIB = 1024 * 1024;
// Small enough that what is hashed from the beginning on stays close behind what arrives.
const MAX_PART_BYTES = 32 * MIB;
const MIN_PART_BYTES = 4 * MIB;
const GROW_MS = 100;

/**
 * Fetches what a partial file lacks, in parts from its beginning on. As long as it is the other side that is
 * waited for, another connection comes to those there are: one alone is the fastest where it is this machine.
 * A connection that the server refuses for good leaves its part to the others.
 *
 * @throws as {@link RangeFetcher.fetch} and {@link WriteBuffers.flush}; what arrived until then is written.
 */
export async function fetchGaps({
  fetcher,
  partial,
  pieces,
  writer,
  hash,
  connections,
  inOnePiece,
  signal,
  onWritten,
}: GapsToFetch): Promise<void> {
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const gaps = partial.ranges.gaps(partial.sizeBytes);
  const parts = inOnePiece ? gaps : partsOf(gaps, connections);
  let isHeldUp = false;
  const lane = async (onAnswer: () => void): Promise<void> => {
    using buffers = new WriteBuffers({
      partial,
      pieces,
      writer,
      hash,
      onWritten,
      onHeldUp: () => (isHeldUp = true),
    });
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      try {
        await buffers.goTo(part[0]);
        await fetcher.fetch(part, buffers, onAnswer, either);
      } catch (error) {
        await buffers.flush();
        if (buffers.position < part[1]) parts.unshift([buffers.position, part[1]]);
        throw error;
      }
    }
    await buffers.flush();
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
    const grow = (): void => {
      if (!isHeldUp && parts.length > 0 && others.length < lanes - 1) others.push(run(() => undefined));
      isHeldUp = false;
    };
    let growing: NodeJS.Timeout | undefined;
    // One first: it learns whether the server knows ranges, and where the file is.
    await run(() => {
      growing ??= setInterval(grow, GROW_MS);
    });
    clearInterval(growing);
    await Promise.all(others);
    const failure = failures.find((error) => !mayBeLeftToOthers(error)) ?? failures[0];
    const isOver = stop.signal.aborted || lanes === 1 || partial.ranges.bytes === before;
    if (failure !== undefined && isOver) throw failure;
  }
}

function mayBeLeftToOthers(error: unknown): boolean {
  return error instanceof RegistryError && error.code === "source_unreachable";
}

/** What is missing, in parts of which each connection gets several. */
function partsOf(gaps: readonly ByteRange[], connections: number): ByteRange[] {
  const missing = gaps.reduce((sum, [start, end]) => sum + end - start, 0);
  const share = connections === 1 ? missing : Math.ceil(missing / (connections * 4) / MIB) * MIB;
  const size = Math.min(Math.max(share, MIN_PART_BYTES), MAX_PART_BYTES);
  return gaps.flatMap(([start, end]) => {
    const count = Math.ceil((end - start) / size);
    return Array.from({ length: count }, (_, at): ByteRange => [
      start + at * size,
      Math.min(start + (at + 1) * size, end),
    ]);
  });
}
