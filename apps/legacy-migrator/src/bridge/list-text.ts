import { isUtf8 } from "node:buffer";

import { parseRow, wordsOf, type ListRow } from "./list-row.ts";

/** One line of a file, by its number from 1. */
export interface NumberedLine {
  readonly line: number;
  readonly text: string;
}

/** A line of six words. */
interface NumberedRow extends NumberedLine {
  readonly row: ListRow;
}

/** A line that the old program may have written, or a piece of one. */
interface OtherLine extends NumberedLine {
  readonly isWhole: boolean;
}

/** What a `model.list` held when it was looked at. */
export interface ListText {
  readonly rows: readonly NumberedRow[];
  /** Lines with fewer or more words, in their order; empty ones are left out. */
  readonly others: readonly OtherLine[];
  /** Why it is not what a program meant to write, as the end of a sentence; `undefined` where it may be. */
  readonly damage: string | undefined;
}

// A tab is a blank, and a carriage return ends a line of Windows.
// oxlint-disable-next-line no-control-regex -- naming them is the point
const CONTROL = /[\u0000-\u0008\u000b-\u000c\u000e-\u001f\u007f]/;
const MIN_WORDS = 6;
const FIELDS = 6;
const WHOLE_STATUS = /[ \t](?:READY|RUNNING)$/;

/**
 * Reads a whole file. A line that no newline ends is a row only when its status is whole: an old write
 * that was cut off inside it leaves a shorter word.
 */
export function readListText(bytes: Buffer): ListText {
  const rows: NumberedRow[] = [];
  const others: OtherLine[] = [];
  let damage = isUtf8(bytes) ? undefined : "it holds bytes that are no text";
  const lines = bytes.toString("utf8").split("\n");
  const last = lines.pop()!;
  if (last !== "") {
    damage ??= "its last line has no end";
    lines.push(last);
  }
  for (const [index, text] of lines.entries()) {
    const isCut = last !== "" && index === lines.length - 1;
    const row = CONTROL.test(text) ? undefined : parseRow(text);
    if (row !== undefined && (!isCut || WHOLE_STATUS.test(text))) {
      rows.push({ line: index + 1, text, row });
      continue;
    }
    const words = wordsOf(text);
    if (words.length === 0) continue;
    const isWhole = !isCut && !CONTROL.test(text) && (words.length >= MIN_WORDS || hasEmptyField(text));
    if (!isWhole) damage ??= `line ${index + 1} is not whole`;
    others.push({ line: index + 1, text, isWhole });
  }
  return { rows, others, damage };
}

// The old program writes a field that is empty as nothing between two blanks.
function hasEmptyField(text: string): boolean {
  const fields = text.split(" ");
  return fields.length === FIELDS && fields.filter((field) => field === "").length === 1;
}
