import type { Line } from "../request/read-lines.ts";

/** Lines that are done together. */
export interface Batch {
  /** From 0. */
  readonly number: number;
  /** One or more. */
  readonly lines: readonly Line[];
  /** What the batch says: the same for the same lines, and another where more or fewer follow. */
  readonly text: () => string;
}

// How long others wait to write at most, and how much is in memory.
const MOST_LINES = 500;
const MOST_BYTES = 1_048_576;

/** Lines in batches. Where one ends depends on the lines alone, so the same lines are the same batches again. */
export async function* batchesOf(lines: AsyncIterable<Line>): AsyncGenerator<Batch, undefined> {
  let number = 0;
  let batch: Line[] = [];
  let bytes = 0;
  for await (const line of lines) {
    if (batch.length === MOST_LINES || (batch.length > 0 && bytes + line.bytes.length > MOST_BYTES)) {
      yield toBatch(number++, batch, true);
      batch = [];
      bytes = 0;
    }
    batch.push(line);
    bytes += line.bytes.length;
  }
  if (batch.length > 0) yield toBatch(number, batch, false);
}

function toBatch(number: number, lines: readonly Line[], goesOn: boolean): Batch {
  const text = (): string =>
    lines.map((line) => `${line.number} ${Buffer.from(line.bytes).toString("latin1")}\n`).join("") +
    (goesOn ? "more" : "");
  return { number, lines, text };
}
