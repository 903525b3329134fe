import { readFileSync } from "node:fs";

/**
 * A moment that no adjustment of the wall clock moves: milliseconds on the machine's monotonic clock,
 * which all its processes share, and which start of the machine they count from.
 */
export interface MachineTime {
  bootId: string;
  tick: number;
}

let bootId: string | undefined;

/** Now. Off Linux the boot has no name: there a clock that runs backwards tells of a restart. */
export function machineTime(): MachineTime {
  bootId ??= readBootId();
  const [seconds, nanoseconds] = process.hrtime();
  return { bootId, tick: seconds * 1000 + Math.floor(nanoseconds / 1e6) };
}

function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}
