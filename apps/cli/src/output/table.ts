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
  const cellWidths = rows.map((row) => columns.map((_column, index) => widthOf(row[index] ?? "")));
  const widths = columns.map(({ title }, index) =>
    cellWidths.reduce((widest, row) => Math.max(widest, row[index]!), widthOf(title)),
  );
  const shown = fit(columns, widths, available);
  const last = shown.at(-1);
  const line = (
    cells: readonly string[],
    ownWidths: readonly number[],
    styleOf: (column: Column, text: string) => Style | undefined,
  ): string => {
    let text = "";
    for (const index of shown) {
      const column = columns[index]!;
      const whole = cells[index] ?? "";
      let missing = widths[index]! - ownWidths[index]!;
      let cell = whole;
      if (missing < 0) {
        cell = truncate(whole, widths[index]!, column.keep);
        missing = widths[index]! - widthOf(cell);
      }
      const style = styleOf(column, whole);
      const painted = style === undefined ? cell : paint(style, cell);
      if (column.align === "right") text += " ".repeat(missing) + painted;
      else text += index === last ? painted : painted + " ".repeat(missing);
      if (index !== last) text += GAP;
    }
    return `${text.trimEnd()}\n`;
  };
  const titles = columns.map(({ title }) => title);
  return (
    line(titles, titles.map(widthOf), () => "bold") +
    rows.map((row, index) => line(row, cellWidths[index]!, (column, text) => column.style?.(text))).join("")
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
