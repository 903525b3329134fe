import { SPARE_BYTES } from "../hub/byte-sink.ts";

/** Memory for a piece of a file. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** Where it is in the memory that all pieces share. */
  readonly offset: number;
}

export const PIECE_BYTES: number = SPARE_BYTES;

/** The memory that a file goes through on its way to the disk: threads see it as well. */
export class Pieces {
  readonly memory: SharedArrayBuffer;
  readonly #idle: Piece[];

  constructor(count: number) {
    const memory = new SharedArrayBuffer(count * PIECE_BYTES);
    this.memory = memory;
    this.#idle = Array.from({ length: count }, (_, at) => ({
      offset: at * PIECE_BYTES,
      bytes: new Uint8Array(memory, at * PIECE_BYTES, PIECE_BYTES),
    }));
  }

  /** One to fill. @throws where more are asked for at a time than there are. */
  take(): Piece {
    // The one that was used last: it is in a cache still.
    const piece = this.#idle.pop();
    if (piece === undefined) throw new Error("more pieces are taken than there are");
    return piece;
  }

  giveBack(piece: Piece): void {
    this.#idle.push(piece);
  }
}
