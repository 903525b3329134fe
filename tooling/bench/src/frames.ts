import { statSync } from "node:fs";

import Database from "better-sqlite3";

const HEADER_BYTES = 32;
const FRAME_BYTES = 4096 + 24;
const COMMITS = 40;

/**
 * How many pages a kind of commit appends to the write-ahead log, on average.
 *
 * @param path of the database; pages of 4,096 bytes.
 * @param commit makes one commit.
 */
export async function framesPerCommit(path: string, commit: (index: number) => unknown): Promise<number> {
  const connection = new Database(path);
  await commit(-1);
  connection.pragma("wal_checkpoint(TRUNCATE)");
  connection.close();
  for (let index = 0; index < COMMITS; index++) await commit(index);
  // Fewer than the 1,000 pages at which SQLite would begin the log anew.
  return (statSync(`${path}-wal`).size - HEADER_BYTES) / FRAME_BYTES / COMMITS;
}
