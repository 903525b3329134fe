import type { Paint, Style } from "./color.ts";
import { truncate, widthOf } from "./width.ts";

/** One column: what stands over it, and what it may lose when the terminal is narrow. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** May be shortened to this many cells; a column without it keeps its width. */
  readonly least?: number;
  /** Where the `…` goes. */
  readonly keep?: "start" | "both";
  /** Columns with a higher number are left out first when nothing can be shortened any more. */
  readonly sacrifice?: number;
  /** How a cell stands out; from its text. */
  readonly style?: (text: string) => Style | undefined;
}

const GAP = "  ";

/**
 * Lines of an aligned table, each ended by a newline, no line wider than `columns` cells
 * (`undefined`: no limit, nothing is shortened). The cells must be fit to print: see `toVisible`.
 */
export function toTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paint: Paint,
  available: number | undefined,
): string {
  const widths = columns.map((column, index) =>
    rows.reduce((widest, row) => Math.max(widest, widthOf(row[index] ?? "")), widthOf(column.title)),
  );
  const shown = fit(columns, widths, available);
  const line = (
    cells: readonly string[],
    styleOf: (column: Column, text: string) => Style | undefined,
  ): string => {
    const last = shown.at(-1);
    let text = "";
    for (const index of shown) {
      const column = columns[index]!;
      const width = widths[index]!;
      const cell = truncate(cells[index] ?? "", width, column.keep);
      const style = styleOf(column, cells[index] ?? "");
      const painted = style === undefined ? cell : paint(style, cell);
      const space = " ".repeat(width - widthOf(cell));
      if (column.align === "right") text += space + painted;
      else text += index === last ? painted : painted + space;
      if (index !== last) text += GAP;
    }
    return `${text.trimEnd()}\n`;
  };
  return (
    line(
      columns.map((column) => column.title),
      () => "bold",
    ) + rows.map((row) => line(row, (column, text) => column.style?.(text))).join("")
  );
}

/** Makes the widths fit: leaves out columns until the rest can, then takes from the widest. Returns the rest. */
function fit(columns: readonly Column[], widths: number[], available: number | undefined): number[] {
  let shown = columns.map((_column, index) => index);
  if (available === undefined) return shown;
  const least = columns.map((column, index) => Math.min(widths[index]!, column.least ?? Infinity));
  while (shown.length > 1 && total(shown, least) > available) {
    const weakest = shown.reduce((a, b) =>
      (columns[b]!.sacrifice ?? 0) >= (columns[a]!.sacrifice ?? 0) ? b : a,
    );
    shown = shown.filter((index) => index !== weakest);
  }
  for (;;) {
    const longest = shown.filter((index) => widths[index]! > least[index]!);
    if (longest.length === 0 || total(shown, widths) <= available) return shown;
    const widest = longest.reduce((a, b) => (widths[b]! > widths[a]! ? b : a));
    widths[widest] = widths[widest]! - 1;
  }
}

function total(shown: readonly number[], widths: readonly number[]): number {
  return shown.reduce((sum, index) => sum + widths[index]!, GAP.length * (shown.length - 1));
}
