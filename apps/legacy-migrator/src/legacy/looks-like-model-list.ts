import { isUtf8 } from "node:buffer";
import { closeSync, openSync, readSync } from "node:fs";

import { LegacyStoreError } from "./legacy-store-error.ts";
import { isFields, parseModelListLine } from "./model-list-line.ts";

const HEAD_BYTES = 256 * 1024;
const NEWLINE = 0x0a;
const NOTHING_KNOWN = { terminated: true, isFile: () => false, usualConfigPaths: () => [] };

/**
 * Whether a file of any name is a `model.list`, by its first 256 KiB: at least half of the lines that are
 * not empty are models. One without a line is taken for a list that is empty.
 *
 * @throws LegacyStoreError `unreadable`
 */
export function looksLikeModelList(path: string): boolean {
  const { head, isWhole } = readHead(path);
  let [lines, entries] = [0, 0];
  for (let start = 0; start < head.length;) {
    const newline = head.indexOf(NEWLINE, start);
    // The last line may be cut; where it is the only one, it is no model either.
    if (newline === -1 && !isWhole && lines > 0) break;
    const line = head.subarray(start, newline === -1 ? head.length : newline);
    start += line.length + 1;
    const text = isUtf8(line) ? line.toString("utf8") : undefined;
    if (text?.trim() === "") continue;
    lines++;
    if (text !== undefined && isFields(parseModelListLine(text, NOTHING_KNOWN))) entries++;
  }
  return entries * 2 >= lines;
}

function readHead(path: string): { head: Buffer; isWhole: boolean } {
  const bytes = Buffer.alloc(HEAD_BYTES);
  try {
    const descriptor = openSync(path, "r");
    try {
      const read = readSync(descriptor, bytes, 0, HEAD_BYTES, 0);
      return { head: bytes.subarray(0, read), isWhole: read < HEAD_BYTES };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new LegacyStoreError("unreadable", `${path} cannot be read (${(error as Error).message}).`, {
      cause: error,
    });
  }
}
