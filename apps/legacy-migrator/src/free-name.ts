import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * A name for something new in a folder: the time in ISO 8601 without colons, and a number behind it where
 * that is taken.
 *
 * @param at Unix milliseconds.
 * @param ends what may stand behind the name; with none of them is it taken.
 */
export function freeName(folder: string, at: number, ends: readonly string[]): string {
  const stamp = new Date(at).toISOString().replaceAll(":", "-");
  const isTaken = (name: string): boolean => ends.some((end) => existsSync(join(folder, name + end)));
  let name = stamp;
  for (let number = 2; isTaken(name); number++) name = `${stamp}-${number}`;
  return name;
}
