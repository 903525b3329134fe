import { EQUAL_WORK, RawWriter } from "../contenders/raw-writer.ts";
import { openRaw } from "../contenders/raw.ts";
import { aliasAt } from "../dataset.ts";

// The same in raw statements, with the busy handler that SQLite comes with.
const [path, which, start, duration] = process.argv.slice(2);
const connection = openRaw(path!);
connection.pragma("busy_timeout = 5000");
const writer = new RawWriter(connection, EQUAL_WORK);
const name = aliasAt(Number(which));
let commits = 0;
let longestMs = 0;
let busy = 0;
const startsAt = Number(start);
await new Promise((resolve) => setTimeout(resolve, startsAt - Date.now()));
const end = performance.now() + Number(duration);
while (performance.now() < end) {
  const before = performance.now();
  try {
    writer.togglePin(name, Date.now());
    commits++;
  } catch (error) {
    if ((error as { code?: string }).code !== "SQLITE_BUSY") throw error;
    busy++;
  }
  longestMs = Math.max(longestMs, performance.now() - before);
}
connection.close();
console.log(JSON.stringify({ commits, longestMs, busy }));
