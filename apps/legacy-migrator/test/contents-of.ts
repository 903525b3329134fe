import { createHash } from "node:crypto";
import { readdirSync, readFileSync, lstatSync } from "node:fs";
import { join } from "node:path";

/** Every file below a folder, with what it holds and when it was changed: to see that nothing was. */
export function contentsOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted();
  return Object.fromEntries(
    names.map((name) => {
      const path = join(folder, name);
      const stats = lstatSync(path);
      if (!stats.isFile()) return [name, stats.isDirectory() ? "folder" : "no file"];
      return [name, `${createHash("sha256").update(readFileSync(path)).digest("hex")} ${stats.mtimeMs}`];
    }),
  );
}
