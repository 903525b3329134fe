import { WriteAheadLog, type LogHeader } from "../../src/maintenance/pages/write-ahead-log.ts";

/** What SQLite makes of a write-ahead log, in figures. */
interface LogSummary {
  readonly header: LogHeader;
  /** How many frames it reads and takes for committed. */
  readonly committedFrames: number;
  /** The frames of this round behind the last of those: of a commit that was cut off, or lost to damage. */
  readonly laterFrames: number;
  /** How many of those end a commit. */
  readonly laterCommits: number;
}

/** Counts the frames of a log. @param pageSize the database's, for a log whose header is damaged */
export function summarizeLog(path: string, pageSize?: number): LogSummary {
  using log = new WriteAheadLog(path, pageSize);
  let committedFrames = 0;
  let laterFrames = 0;
  let laterCommits = 0;
  for (const { index, current, valid, commitPageCount } of log.frames()) {
    if (valid && commitPageCount > 0) {
      committedFrames = index + 1;
      laterFrames = 0;
    } else if (current) {
      laterFrames++;
      if (commitPageCount > 0) laterCommits++;
    }
  }
  return { header: log.header, committedFrames, laterFrames, laterCommits };
}
