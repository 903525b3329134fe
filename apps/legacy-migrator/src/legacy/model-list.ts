import { closeSync, fstatSync, openSync, statSync, type Stats } from "node:fs";

import { byteLines, lineAt, MAX_LINE_BYTES, type ByteLine } from "./byte-lines.ts";
import type {
  LegacyEntry,
  LegacyItem,
  LegacyNote,
  LegacyRefusal,
  LegacyStore,
  Problem,
} from "./legacy-entry.ts";
import { LegacyStoreError } from "./legacy-store-error.ts";
import { isFields, parseModelListLine, type LineContext } from "./model-list-line.ts";

const BYTE_ORDER_MARK = "\ufeff";

/** What a text store needs to know about the rest of the disk. */
export type DiskContext = Omit<LineContext, "terminated">;

/**
 * A `model.list`, open for reading: read line by line, in memory that does not grow with it.
 *
 * @throws LegacyStoreError `unreadable`
 */
export class ModelList implements LegacyStore {
  readonly kind = "model.list";
  readonly unit = "B";
  readonly path: string;
  readonly total: number;
  readonly modifiedAt: number;
  done = 0;
  readonly #descriptor: number;
  readonly #inside: LineContext;
  readonly #atEnd: LineContext;
  readonly #opened: Stats;
  #byteOrderMark = false;

  constructor(path: string, disk: DiskContext) {
    this.path = path;
    this.#inside = { ...disk, terminated: true };
    this.#atEnd = { ...disk, terminated: false };
    try {
      this.#descriptor = openSync(path, "r");
    } catch (error) {
      throw new LegacyStoreError("unreadable", `${path} cannot be opened (${(error as Error).message}).`, {
        cause: error,
      });
    }
    this.#opened = fstatSync(this.#descriptor);
    this.total = this.#opened.size;
    this.modifiedAt = Math.max(0, Math.trunc(this.#opened.mtimeMs));
  }

  get notes(): readonly LegacyNote[] {
    if (!this.#byteOrderMark) return [];
    const text =
      "The file begins with a byte order mark, which the old program took for a part of the first id.";
    return [{ code: "byte_order_mark", text }];
  }

  *scan(): Generator<LegacyItem> {
    for (const line of byteLines(this.#descriptor, (bytes) => (this.done = bytes))) yield this.#read(line);
  }

  entryAt(position: number): LegacyEntry {
    const item = this.#read(lineAt(this.#descriptor, position));
    if (item.kind === "entry") return item;
    throw new LegacyStoreError("changed", changed(this.path));
  }

  assertUnchanged(): void {
    const now = statSync(this.path, { throwIfNoEntry: false });
    const { ino, size, mtimeMs } = this.#opened;
    if (now?.ino !== ino || now.size !== size || now.mtimeMs !== mtimeMs) {
      throw new LegacyStoreError("changed", changed(this.path));
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  #read({ line, offset, length, text, sample, terminated }: ByteLine): LegacyItem {
    if (text === undefined) return refuse(line, visibleBytes(sample!, length), problemOf(length));
    let whole = text;
    if (offset === 0 && text.startsWith(BYTE_ORDER_MARK)) {
      this.#byteOrderMark = true;
      whole = text.slice(BYTE_ORDER_MARK.length);
    }
    return toItem(line, offset, whole, text, terminated ? this.#inside : this.#atEnd);
  }
}

/**
 * Lines of a `model.list` that were read already.
 *
 * @param path names the file they are from.
 * @param modifiedAt when it was written, Unix milliseconds.
 */
export class ModelListLines implements LegacyStore {
  readonly kind = "model.list";
  readonly unit = "rows";
  readonly path: string;
  readonly total: number;
  readonly modifiedAt: number;
  readonly notes = [];
  done = 0;
  readonly #lines: readonly { readonly line: number; readonly text: string }[];
  readonly #context: LineContext;

  constructor(
    path: string,
    modifiedAt: number,
    lines: readonly { readonly line: number; readonly text: string }[],
    disk: DiskContext,
  ) {
    this.path = path;
    this.modifiedAt = modifiedAt;
    this.total = lines.length;
    this.#lines = lines;
    this.#context = { ...disk, terminated: true };
  }

  *scan(): Generator<LegacyItem> {
    for (const [position] of this.#lines.entries()) {
      this.done = position + 1;
      yield this.#read(position);
    }
  }

  entryAt(position: number): LegacyEntry {
    return this.#read(position) as LegacyEntry;
  }

  assertUnchanged(): void {}

  [Symbol.dispose](): void {}

  #read(position: number): LegacyItem {
    const { line, text } = this.#lines[position]!;
    return toItem(line, position, text, text, this.#context);
  }
}

function toItem(
  line: number,
  position: number,
  whole: string,
  text: string,
  context: LineContext,
): LegacyItem {
  const read = parseModelListLine(whole, context);
  if (!isFields(read)) return refuse(line, text, read);
  return {
    kind: "entry",
    store: "model.list",
    line,
    position,
    modelId: read.modelId,
    author: known(read.author),
    branch: known(read.branch),
    configPath: known(read.configPath),
    alias: read.alias,
    status: read.status,
    modelFormat: null,
    modelSource: null,
    engine: null,
    metadata: null,
    notes: read.notes,
    rest: read.rest,
  };
}

// A bridge writes `-` for what is not known, since the old program drops a line with an empty field.
function known(word: string | null): string | null {
  return word === "-" ? null : word;
}

function refuse(line: number, text: string, { code, why, remedy }: Problem): LegacyRefusal {
  const shown = text.replace(/(?:\r|\\x0d)$/, "");
  return { kind: "refusal", store: "model.list", line, text: shown, code, why, remedy };
}

function changed(path: string): string {
  return `${path} was changed by another program meanwhile. Stop the old program and run again.`;
}

function problemOf(length: number): Problem {
  if (length > MAX_LINE_BYTES) {
    return {
      code: "line_too_long",
      why: `The line has ${length.toLocaleString("en")} bytes; no model has more than ${MAX_LINE_BYTES.toLocaleString("en")}.`,
      remedy: "Look whether the file is damaged; take it from a backup, or remove the line, and run again.",
    };
  }
  return {
    code: "not_utf8",
    why: "The line holds bytes that are not UTF-8.",
    remedy:
      "Find out the file's encoding and convert it (iconv -f LATIN1 -t UTF-8), rename the model's files to match, and run again.",
  };
}

// Printable ASCII as it is, every other byte as \xNN.
function visibleBytes(bytes: Buffer, length: number): string {
  const shown = Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`,
  ).join("");
  return length > bytes.length ? `${shown}…` : shown;
}
