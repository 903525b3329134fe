import type { Transfer } from "@cortex/model-db";

/** How far a transfer is, at a moment. */
export interface TransferProgress {
  readonly transfer: Transfer;
  readonly files: readonly FileProgress[];
  readonly doneBytes: number;
  /** `null` where the source does not tell. */
  readonly totalBytes: number | null;
  /** Over the last seconds; `null` while that is not known. */
  readonly bytesPerSecond: number | null;
  /** How long it takes at that speed; `null` where that is not known. */
  readonly remainingMs: number | null;
}

/** How far a file of it is. */
export interface FileProgress {
  /** As in {@link Transfer.files}. */
  readonly path: string;
  readonly doneBytes: number;
  readonly totalBytes: number | null;
}

const WINDOW_MS = 5000;

/** Measures how fast a number of bytes grows, over the last five seconds. */
export class Speedometer {
  #marks: { at: number; bytes: number }[] = [];

  /**
   * @param bytes how many there are now.
   * @param at milliseconds of a clock that only goes forward.
   * @returns bytes per second; `null` before anything can be said.
   */
  read(bytes: number, at: number = performance.now()): number | null {
    const last = this.#marks.at(-1);
    // What is found to be wrong is fetched again from the beginning.
    if (last !== undefined && bytes < last.bytes) this.#marks = [];
    if (last === undefined || at - last.at >= 100) this.#marks.push({ at, bytes });
    while (this.#marks.length > 2 && at - this.#marks[1]!.at >= WINDOW_MS) this.#marks.shift();
    const [first] = this.#marks;
    if (first === undefined || at - first.at < 250) return null;
    return ((bytes - first.bytes) / (at - first.at)) * 1000;
  }
}

/** The progress of a transfer whose files are as far as given. */
export function toProgress(
  transfer: Transfer,
  doneBytesOf: (path: string) => number,
  speedometer: Speedometer,
): TransferProgress {
  const files = transfer.files.map(({ path, sizeBytes }) => ({
    path,
    doneBytes: doneBytesOf(path),
    totalBytes: sizeBytes,
  }));
  const doneBytes = files.reduce((sum, file) => sum + file.doneBytes, 0);
  const bytesPerSecond = speedometer.read(doneBytes);
  const { sizeBytes: totalBytes } = transfer;
  const isKnown = totalBytes !== null && bytesPerSecond !== null && bytesPerSecond > 0;
  const remainingMs = isKnown ? Math.max(0, ((totalBytes - doneBytes) / bytesPerSecond) * 1000) : null;
  return { transfer, files, doneBytes, totalBytes, bytesPerSecond, remainingMs };
}
