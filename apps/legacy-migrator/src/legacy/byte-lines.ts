import { isAscii, isUtf8 } from "node:buffer";
import { readSync } from "node:fs";

const CHUNK_BYTES = 256 * 1024;
/** A longer line is no model: it is counted and shown, but never held. */
export const MAX_LINE_BYTES = 64 * 1024;
const SAMPLE_BYTES = 1024;
const NEWLINE = 0x0a;

/** One line of a file, without its newline. */
export interface ByteLine {
  /** From 1. */
  readonly line: number;
  /** Where it begins, in bytes. */
  readonly offset: number;
  /** How long it is, in bytes. */
  readonly length: number;
  /** `undefined` where the bytes are no UTF-8 or the line is longer than {@link MAX_LINE_BYTES}. */
  readonly text: string | undefined;
  /** The first bytes of a line that has no `text`. */
  readonly sample: Buffer | undefined;
  /** Whether a newline ended it: only the last line of a file may lack one. */
  readonly terminated: boolean;
}

/**
 * The lines of an open file, read in chunks: memory does not grow with the file, nor with its longest
 * line. Positions count bytes, so that a line can be read again on its own.
 *
 * @param onRead is told the number of bytes read so far.
 */
export function* byteLines(descriptor: number, onRead?: (bytes: number) => void): Generator<ByteLine> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES + MAX_LINE_BYTES);
  let held = 0;
  let line = 0;
  let offset = 0;
  let position = 0;
  for (;;) {
    const read = readSync(descriptor, chunk, held, CHUNK_BYTES, position);
    position += read;
    onRead?.(position);
    const filled = held + read;
    const end = read === 0 ? filled : chunk.lastIndexOf(NEWLINE, filled - 1) + 1;
    if (end > 0 && filled > 0) {
      for (const found of linesOf(chunk.subarray(0, end), line, offset)) {
        line = found.line;
        yield found;
      }
      offset += end;
      chunk.copyWithin(0, end, filled);
    }
    held = end > 0 ? filled - end : filled;
    if (read === 0) return;
    if (held > MAX_LINE_BYTES) {
      const long = skipLine(descriptor, position, chunk, held);
      line++;
      yield {
        line,
        offset,
        length: long.length,
        text: undefined,
        sample: long.sample,
        terminated: long.terminated,
      };
      position = long.position;
      offset = position;
      held = 0;
      if (!long.terminated) return;
    }
  }
}

/** The one line that begins at an offset, as {@link byteLines} gave it; its number is not known: 0. */
export function lineAt(descriptor: number, offset: number): ByteLine {
  for (const size of [2048, MAX_LINE_BYTES + 1]) {
    const chunk = Buffer.allocUnsafe(size);
    const read = readSync(descriptor, chunk, 0, size, offset);
    const end = chunk.subarray(0, read).indexOf(NEWLINE);
    if (end !== -1 || read < size)
      return toLine(chunk.subarray(0, end === -1 ? read : end), 0, offset, end !== -1);
  }
  throw new RangeError(`no line begins at byte ${offset}`);
}

function* linesOf(block: Buffer, before: number, blockOffset: number): Generator<ByteLine> {
  let line = before;
  let offset = blockOffset;
  if (isUtf8(block)) {
    const ascii = isAscii(block);
    const text = block.toString(ascii ? "latin1" : "utf8");
    let start = 0;
    while (start < text.length) {
      const newline = text.indexOf("\n", start);
      const end = newline === -1 ? text.length : newline;
      const one = text.slice(start, end);
      const length = ascii ? one.length : Buffer.byteLength(one);
      line++;
      yield length > MAX_LINE_BYTES
        ? toLine(
            block.subarray(offset - blockOffset, offset - blockOffset + length),
            line,
            offset,
            newline !== -1,
          )
        : { line, offset, length, text: one, sample: undefined, terminated: newline !== -1 };
      offset += length + 1;
      start = end + 1;
    }
    return;
  }
  let start = 0;
  while (start < block.length) {
    const newline = block.indexOf(NEWLINE, start);
    const end = newline === -1 ? block.length : newline;
    yield toLine(block.subarray(start, end), ++line, blockOffset + start, newline !== -1);
    start = end + 1;
  }
}

function toLine(bytes: Buffer, line: number, offset: number, terminated: boolean): ByteLine {
  const text = isUtf8(bytes) && bytes.length <= MAX_LINE_BYTES ? bytes.toString("utf8") : undefined;
  const sample = text === undefined ? Buffer.from(bytes.subarray(0, SAMPLE_BYTES)) : undefined;
  return { line, offset, length: bytes.length, text, sample, terminated };
}

function skipLine(
  descriptor: number,
  from: number,
  begun: Buffer,
  held: number,
): { length: number; sample: Buffer; position: number; terminated: boolean } {
  const sample = Buffer.from(begun.subarray(0, SAMPLE_BYTES));
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let position = from;
  let length = held;
  for (;;) {
    const read = readSync(descriptor, chunk, 0, CHUNK_BYTES, position);
    const newline = chunk.subarray(0, read).indexOf(NEWLINE);
    if (newline !== -1)
      return { length: length + newline, sample, position: position + newline + 1, terminated: true };
    length += read;
    position += read;
    if (read === 0) return { length, sample, position, terminated: false };
  }
}
