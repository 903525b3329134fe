/**
 * One numbered step of the schema, in the words of each engine. A released migration is frozen: it is
 * never edited, only followed by another. It is plain SQL so that it cannot change with the code.
 */
export interface Migration {
  readonly version: number;
  readonly name: string;
  /** The oldest schema whose programs read what this step leaves rightly; they never write it. */
  readonly readableBy: number;
  readonly sqlite: { readonly up: string; readonly down: string };
}
