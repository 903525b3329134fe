/**
 * An answer of 200 whose JSON is written already. That of a list stays in the pieces in which it was read: one
 * text of them all would be written twice more, into the text and into what is sent.
 */
export class JsonText {
  /** With commas between, they are the JSON. */
  readonly pieces: readonly string[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(pieces: readonly string[], headers: Readonly<Record<string, string>> = {}) {
    this.pieces = pieces;
    this.headers = { "content-type": "application/json", ...headers };
  }

  /** How long it is, in UTF-16 code units. */
  get length(): number {
    let length = this.pieces.length - 1;
    for (const piece of this.pieces) length += piece.length;
    return length;
  }

  toString(): string {
    return this.pieces.join(",");
  }
}
