/** What a sink that is full can still take. */
export const SPARE_BYTES: number = 1024 * 1024;

/**
 * Takes bytes into its own memory, in order, as fast as it can. One that is full still has space for
 * {@link SPARE_BYTES}, so that whoever reads can say where to before it waits.
 */
export interface ByteSink {
  /** Where the next bytes are to be put; never empty. */
  space(): Uint8Array;
  /** Says how many were put there. @returns where it can take no more for now: until when. */
  filled(bytes: number): Promise<void> | undefined;
}

/**
 * Puts bytes that lie elsewhere into a sink.
 *
 * @param bytes few enough that a sink which is full still has space for them.
 * @returns as {@link ByteSink.filled}.
 */
export function putInto(sink: ByteSink, bytes: Uint8Array): Promise<void> | undefined {
  let full: Promise<void> | undefined;
  for (let at = 0; at < bytes.length;) {
    const space = sink.space();
    const piece = bytes.subarray(at, at + space.length);
    space.set(piece);
    at += piece.length;
    full = sink.filled(piece.length) ?? full;
  }
  return full;
}
