import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
/** The arguments with which Node runs `cortex-migrate`. */
export const PROGRAM = ["--conditions=@cortex/source", "--disable-warning=ExperimentalWarning", MAIN];

/** What a run of `cortex-migrate` gave. */
export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `cortex-migrate` in a process of its own, with a home folder of its own and no terminal. */
export function runProgram(home: string, ...words: string[]): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...PROGRAM, ...words], {
    env: environment(home),
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return { code: status, out: stdout, err: stderr };
}

/** Runs `cortex-migrate` with its output where a shell puts it, such as `>/dev/full`. */
export function runRedirected(home: string, redirection: string, ...words: string[]): Run {
  const command = ["-c", `exec "$0" "$@" ${redirection}`, process.execPath, ...PROGRAM, ...words];
  const { status, stdout, stderr } = spawnSync("sh", command, { env: environment(home), encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
}

/** Starts `cortex-migrate` and does not wait for it. */
export function startProgram(home: string, ...words: string[]): ChildProcess {
  return spawn(process.execPath, [...PROGRAM, ...words], { env: environment(home), stdio: "ignore" });
}

/** A home folder of its own. */
export function environment(home: string): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"], HOME: home, USERPROFILE: home, NO_COLOR: "1" };
}
