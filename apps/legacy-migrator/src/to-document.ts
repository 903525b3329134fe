import type { Migration } from "./migrate.ts";
import type { ReportSpool } from "./report-spool.ts";

const NEWLINE = 0x0a;
const COMMA = 0x2c;

/** The migration as one JSON document in pieces: a head of its own, then every line and row in `data`. */
export function* toDocument(migration: Migration, report: ReportSpool): Generator<Buffer> {
  const head = JSON.stringify({
    dry_run: migration.dryRun,
    data_folder: migration.dataFolder,
    stores: migration.stores,
    hints: migration.hints,
    registry: migration.registry,
    changed: migration.changed,
    counts: migration.counts,
    backup: migration.backup,
    report: migration.report,
    verified:
      migration.verified === null
        ? null
        : {
            compared: migration.verified.compared,
            changed_since: migration.verified.changedSince,
            mismatch_count: migration.verified.mismatchCount,
            mismatches: migration.verified.mismatches,
          },
  });
  yield Buffer.from(`${head.slice(0, -1)},"data":[\n`);
  // No newline is inside of a JSON line: each one but the last becomes a comma.
  let last: Buffer | undefined;
  for (const piece of report.text()) {
    if (last !== undefined) yield last;
    last = piece;
    for (let at = piece.indexOf(NEWLINE); at !== -1; at = piece.indexOf(NEWLINE, at + 1)) piece[at] = COMMA;
  }
  if (last !== undefined) yield last.subarray(0, -1);
  yield Buffer.from("\n]}\n");
}
