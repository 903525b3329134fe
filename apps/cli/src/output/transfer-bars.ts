import { writeSync } from "node:fs";

import { formatSize, toVisible } from "@cortex/model-db";
import type { TransferProgress } from "@cortex/model-sources";

import { truncate, widthOf } from "./width.ts";

const SHOWN_FILES = 8;
const BAR_CELLS = 20;
const FALLBACK_COLUMNS = 80;

/** Lines on a terminal that show how far each file of a transfer is; drawn over themselves. */
export class TransferBars {
  #lines = 0;

  /** Draws the lines anew. */
  draw(progress: TransferProgress): void {
    const columns = process.stderr.columns || FALLBACK_COLUMNS;
    const lines = toLines(progress, columns - 1);
    const up = this.#lines > 1 ? `\u001b[${this.#lines - 1}A` : "";
    writeSync(2, `\r${up}\u001b[J${lines.join("\n")}`);
    this.#lines = lines.length;
  }

  /** Takes the lines away. */
  end(): void {
    if (this.#lines === 0) return;
    const up = this.#lines > 1 ? `\u001b[${this.#lines - 1}A` : "";
    writeSync(2, `\r${up}\u001b[J`);
    this.#lines = 0;
  }
}

/** A line for each file under way and, where there are several, one for all of them. */
function toLines(progress: TransferProgress, columns: number): string[] {
  const { files, doneBytes, totalBytes } = progress;
  const pace = describePace(progress);
  const [only] = files;
  if (files.length === 1 && only !== undefined) {
    return [toBar(nameOf(only.path), only.doneBytes, only.totalBytes, pace, columns)];
  }
  const open = files.filter((file) => file.doneBytes < (file.totalBytes ?? Infinity)).slice(0, SHOWN_FILES);
  const whole = files.length - files.filter((file) => file.doneBytes < (file.totalBytes ?? Infinity)).length;
  return [
    ...open.map((file) => toBar(nameOf(file.path), file.doneBytes, file.totalBytes, "", columns)),
    toBar(`${whole} of ${files.length} files`, doneBytes, totalBytes, pace, columns),
  ];
}

function toBar(name: string, done: number, total: number | null, pace: string, columns: number): string {
  const share = total === null || total === 0 ? 0 : Math.min(1, done / total);
  const filled = Math.round(share * BAR_CELLS);
  const bar = `${"█".repeat(filled)}${"░".repeat(BAR_CELLS - filled)}`;
  const percent = total === null ? "" : ` ${String(Math.floor(share * 100)).padStart(3)}%`;
  const size = total === null ? formatSize(done) : `${formatSize(done)} of ${formatSize(total)}`;
  const facts = `${percent}  ${size}${pace}`;
  const room = columns - widthOf(facts) - 2;
  if (room < BAR_CELLS + 10) return truncate(`${name}${facts}`, columns, "both");
  return `${truncate(name, room - BAR_CELLS, "both")}  ${bar}${facts}`;
}

function describePace({ bytesPerSecond, remainingMs }: TransferProgress): string {
  if (bytesPerSecond === null) return "";
  const left = remainingMs === null ? "" : `, ${formatRemaining(remainingMs)} left`;
  return `  ${formatSize(Math.round(bytesPerSecond))}/s${left}`;
}

/** How long something still takes, for people: `42s`, `3m 05s`, `2h 10m`. */
function formatRemaining(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h ${two(Math.floor((seconds % 3600) / 60))}m`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

function nameOf(path: string): string {
  return toVisible(path.slice(path.lastIndexOf("/") + 1));
}
