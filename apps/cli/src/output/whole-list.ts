import type { Everywhere } from "../everywhere.ts";
import { painter } from "./color.ts";
import { toListDocument } from "./json.ts";
import { outputColumns, writeNote, writeOut } from "./stream.ts";
import { toTable, type Column } from "./table.ts";

/** How a list without pages is shown. */
export interface WholeList<Item> {
  /** What `--quiet` prints, each once. */
  readonly toId: (item: Item) => string;
  readonly toRecord: (item: Item) => object;
  readonly columns: readonly Column[];
  readonly toCells: (item: Item) => string[];
  /** What a person is told where there is nothing. */
  readonly nothing: string;
}

/**
 * Prints a list as ids, as JSON or as a table.
 *
 * @param items `undefined` where there is no registry, of which whoever asked has been told.
 */
export function printWholeList<Item>(
  items: readonly Item[] | undefined,
  { toId, toRecord, columns, toCells, nothing }: WholeList<Item>,
  options: Everywhere,
): void {
  const found = items ?? [];
  if (options.quiet === true) {
    writeOut([...new Set(found.map((item) => `${toId(item)}\n`))].join(""));
  } else if (options.json === true) {
    writeOut(toListDocument(found.map(toRecord)));
  } else if (found.length > 0) {
    writeOut(toTable(columns, found.map(toCells), painter(1, options.color), outputColumns()));
  } else if (items !== undefined) {
    writeNote(nothing);
  }
}
