import type Database from "better-sqlite3";

import { shown } from "../../domain/input.ts";
import { finding, type Look } from "../findings.ts";
import { checkRows, type ChecksummedTable } from "../row-checksums.ts";

const NAMES = {
  model: (subject: string) => `The record of ${shown(subject)}`,
  model_file: (subject: string) => `A file of ${shown(subject)}`,
  model_event: (subject: string) => `Event ${subject} of the history`,
} as const;

/** The rows of a table against their checksums. */
export function* checkChecksums(
  connection: Database.Database,
  table: ChecksummedTable,
): Generator<Look, undefined> {
  for (const { rows, unsound } of checkRows(connection, table)) {
    for (const { subject, checksum } of unsound) {
      const name = NAMES[table](subject);
      if (checksum === "wrong") yield finding("row_checksum", subject, `${name} is not what was written.`);
      else yield finding("row_unsigned", subject, `${name} has no checksum.`);
    }
    yield rows;
  }
}
