import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { bytesOf, parseCalls, TRACED_CALLS, type SystemCall } from "./system-calls.ts";

/** What a process acknowledged: so much of a kind of work is done for good. */
export interface Acknowledgement {
  readonly of: string;
  readonly position: number;
  /** What the work's result looks like at that position, where that can be told. */
  readonly digest?: string;
}

/** A process's work on a folder, call by call. */
export interface Recording {
  readonly folder: string;
  /** What was there before, by path below the folder. */
  readonly content: ReadonlyMap<string, Buffer | undefined>;
  readonly calls: readonly SystemCall[];
  acknowledgement(said: string): Acknowledgement | undefined;
  /** Positions by digest. */
  readonly positions: ReadonlyMap<string, number>;
}

/** Whether a process can be traced here: that needs strace, and the right to. */
export const canTrace: boolean = spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0;

export interface RecordOptions {
  /** Fills the folder beforehand. */
  prepare?: (folder: string) => Promise<void>;
  /** A script beside the processes that the process loads first. */
  preload?: string;
}

/**
 * Runs a script beside this package's processes on a folder and records what it does to it. The
 * script prints an {@link Acknowledgement} as a line of JSON whenever a piece of work is done.
 *
 * @param place where the folder and the trace are kept.
 */
export async function record(
  place: string,
  script: string,
  argument: object,
  { prepare, preload }: RecordOptions = {},
): Promise<Recording> {
  const folder = join(place, "data");
  mkdirSync(folder, { recursive: true });
  await prepare?.(folder);
  cpSync(folder, join(place, "content"), { recursive: true });
  const processes = join(import.meta.dirname, "../processes");
  execFileSync(
    "strace",
    [
      "-f",
      "-xx",
      "--string-limit=67108864",
      "--seccomp-bpf",
      `--output=${join(place, "trace")}`,
      `--trace=${TRACED_CALLS.map((call) => `?${call}`).join(",")}`,
      "--signal=none",
      process.execPath,
      "--conditions=@cortex/source",
      ...(preload === undefined ? [] : [`--import=${join(processes, preload)}`]),
      join(processes, script),
      JSON.stringify({ ...argument, folder }),
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  return readRecording(place);
}

/** The recording that a place holds. */
export function readRecording(place: string): Recording {
  const content = new Map<string, Buffer | undefined>();
  const before = join(place, "content");
  for (const path of readdirSync(before, { recursive: true, encoding: "utf8" }).toSorted()) {
    content.set(
      path,
      statSync(join(before, path)).isDirectory() ? undefined : readFileSync(join(before, path)),
    );
  }
  const calls = parseCalls(readFileSync(join(place, "trace"), "latin1"));
  const positions = new Map<string, number>();
  const folder = join(place, "data");
  for (const call of calls) {
    if (call.name !== "write" || call.args[0] !== "1") continue;
    const said = acknowledgement(bytesOf(call.args[1]!).toString());
    if (said?.digest !== undefined) positions.set(said.digest, said.position);
  }
  return { folder, content, calls, acknowledgement, positions };
}

function acknowledgement(said: string): Acknowledgement | undefined {
  return said.startsWith("{") ? (JSON.parse(said) as Acknowledgement) : undefined;
}
