// Nearly every text: one cell a character.
const ASCII = /^[ -~]*$/;

let segmenter: Intl.Segmenter | undefined;

/** Cells that a text takes on a terminal: 2 for a wide character, 0 for a combining one. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const part of graphemes(text)) width += cellsOf(part);
  return width;
}

/**
 * A text in at most `cells` cells (1 or more). What does not fit is replaced by `…`: at the end, or
 * with `keep: "both"` in the middle, for names that differ at their ends.
 */
export function truncate(text: string, cells: number, keep: "start" | "both" = "start"): string {
  if (widthOf(text) <= cells) return text;
  const tailCells = keep === "both" ? Math.floor((cells - 1) / 2) : 0;
  const parts = graphemes(text);
  return `${takeCells(parts, cells - 1 - tailCells)}…${takeCells(parts.toReversed(), tailCells, true)}`;
}

function takeCells(parts: string[], cells: number, backwards = false): string {
  let taken = "";
  let used = 0;
  for (const part of parts) {
    used += cellsOf(part);
    if (used > cells) break;
    taken = backwards ? part + taken : taken + part;
  }
  return taken;
}

function cellsOf(grapheme: string): number {
  if (isWide(grapheme)) return 2;
  return /^(?:\p{Mark}|\p{Format})+$/u.test(grapheme) ? 0 : 1;
}

// East Asian Wide and Fullwidth (Unicode Standard Annex #11), in blocks: what a terminal draws in two cells.
function isWide(grapheme: string): boolean {
  return /[\u1100-\u115f\u231a\u231b\u2329\u232a\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u.test(
    grapheme,
  );
}

function graphemes(text: string): string[] {
  if (ASCII.test(text)) return Array.from(text);
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return Array.from(segmenter.segment(text), (part) => part.segment);
}
