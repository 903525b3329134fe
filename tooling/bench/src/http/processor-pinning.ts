import { spawnSync } from "node:child_process";

/** The processors that this process may use, where there are two and `taskset` can part them. */
const processors = ownProcessors();

/** Keeps this process, which makes the load, to one processor: the servers have another. */
export function pinLoad(): void {
  if (processors !== undefined) {
    spawnSync("taskset", ["-acp", String(processors[0]), String(process.pid)]);
  }
}

/** A command line that keeps a program to the servers' processor. */
export function pinnedServer(command: readonly string[]): readonly string[] {
  return processors === undefined ? command : ["taskset", "-c", String(processors.at(-1)), ...command];
}

function ownProcessors(): number[] | undefined {
  const { status, stdout } = spawnSync("taskset", ["-cp", String(process.pid)], { encoding: "utf8" });
  if (status !== 0) return undefined;
  // pid 1's current affinity list: 0,2-3
  const list = stdout.slice(stdout.lastIndexOf(":") + 1).trim();
  const found = list.split(",").flatMap((part) => {
    const [first, last = first] = part.split("-").map(Number) as [number, number | undefined];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  return found.length < 2 ? undefined : found;
}
